"""`fit` on a manifest of images with several labels, or a number, in the place of one class."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import composable

SIDE = 16
COLORS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Images with squares of some colors, and a bar on the left at some height."""
    root, rng, rows = tmp_path_factory.mktemp("shapes"), np.random.default_rng(0), []
    for number in range(90):
        image = rng.integers(0, 60, (SIDE, SIDE, 3)).astype("uint8")
        has = rng.integers(0, 2, 3)
        for channel in np.flatnonzero(has):
            top, left = rng.integers(0, SIDE - 4, 2)
            image[top : top + 4, left : left + 4, channel] = 220
        height = int(rng.integers(0, SIDE - 3))
        image[height : height + 3, :3] = 255
        Image.fromarray(image).save(root / f"{number}.png")
        rows.append({"file": f"{number}.png", **dict(zip(COLORS, has, strict=True)), "height": height + 0.5})
    pd.DataFrame(rows).to_csv(root / "rows.csv", index=False)
    return root / "rows.csv"


@pytest.fixture(scope="module")
def labels(manifest, tmp_path_factory):
    return composable.fit(
        manifest,
        target=COLORS,
        problem="multilabel",
        drop=("height",),
        max_trials=1,
        max_epochs=8,
        out=tmp_path_factory.mktemp("runs") / "labels",
    )


@pytest.fixture(scope="module")
def number(manifest, tmp_path_factory):
    return composable.fit(
        manifest,
        target="height",
        drop=COLORS,
        max_trials=1,
        max_epochs=20,
        out=tmp_path_factory.mktemp("runs") / "number",
    )


def on_images(run, manifest, tmp_path):
    """What the exported file says of the images, as they are."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(run.export("onnx", tmp_path / "onnx") / "model.onnx"))
    names = [output.name for output in session.get_outputs()]
    images = np.stack([np.asarray(Image.open(manifest.parent / f"{n}.png")) for n in range(90)])
    return dict(zip(names, session.run(names, {"file": images}), strict=True))


@pytest.mark.slow
def test_several_labels_of_an_image(labels, manifest, tmp_path):
    assert labels.problem.heads[0].kind == "multilabel"
    assert labels.evaluate(manifest)["roc_auc"] > 0.95
    answers = labels.predict(manifest)
    assert {f"prediction_{c}" for c in COLORS} | {f"p_{c}_1" for c in COLORS} <= set(answers.columns)
    on_onnx = on_images(labels, manifest, tmp_path)
    for color in COLORS:
        assert (on_onnx[f"prediction_{color}"] == answers[f"prediction_{color}"]).mean() > 0.98
        assert on_onnx[f"probabilities_{color}"][:, 1] == pytest.approx(answers[f"p_{color}_1"], abs=1e-5)


def test_a_number_of_an_image(number, manifest, tmp_path):
    assert number.problem.heads[0].kind == "regression"
    nothing = pd.read_csv(manifest)["height"].std()
    assert number.evaluate(manifest)["rmse"] < 0.7 * nothing
    answers = number.predict(manifest)["prediction"]
    assert on_images(number, manifest, tmp_path)["prediction"] == pytest.approx(answers, abs=1e-3)


def test_reports_show_where_they_err(labels, number):
    for run in (labels, number):
        shown = json.loads((run.path / "pictures.json").read_text())
        assert shown["errors"]
        assert all(error["name"].endswith(".png") for error in shown["errors"])
        assert "<h2>Pictures</h2>" in (run.path / "report.html").read_text()
