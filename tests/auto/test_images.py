"""`fit` on images: folders, arrays and manifests, from pixels to a model in use."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import composable
from composable.auto.options import FitOptions
from composable.auto.prepare import completed, prepare, read, understand_table
from composable.core.errors import ConfigError, DataError
from composable.data import frames
from composable.data.kinds.image import ImageBlock
from composable.design.building import outline
from composable.modality import candidates, families
from composable.modality.facts import facts_of
from composable.modality.image import portfolio
from composable.modality.image.augmentations import augmented_as

SIDE = 12


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images with a bright square in the upper half or in the lower, and which."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 90, (rows, SIDE, SIDE, 3)).astype("uint8")
    lower = np.arange(rows) % 2
    for image, low, left in zip(images, lower, rng.integers(0, SIDE - 4, rows), strict=True):
        top = 7 if low else 1
        image[top : top + 4, left : left + 4] = 220
    return images, lower


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("squares")
    for part, rows, seed in (("train", 160, 0), ("test", 20, 1)):
        for place, (image, low) in enumerate(zip(*drawn(rows, seed), strict=True)):
            path = root / part / ("lower" if low else "upper") / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    return root


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    return composable.fit(folder, max_trials=1, max_epochs=20, out=tmp_path_factory.mktemp("runs") / "run")


def test_a_folder_needs_no_options(run):
    assert run.problem.heads[0].labels == ("lower", "upper")
    assert run.facts["split"]["kind"] == "column"
    assert run.facts["split"]["rows"]["test"] == 20
    roles = {row["model"]: row["role"] for row in run.candidates()}
    assert roles == {"fast_cnn": "network", "ridge_on_patches": "baseline", "constant_predictor": "reference"}


def test_the_test_part_is_what_is_scored(run, folder):
    scores = run.evaluate(folder)
    assert scores["rows"] == 20
    assert scores["accuracy"] == 1.0
    own = next(row for row in run.candidates() if row["deployed"])
    trial = json.loads((run.path / "trials" / "2" / "trial.json").read_text())
    assert own["role"] == "network"
    assert scores["roc_auc"] == pytest.approx(trial["test"]["roc_auc"])


def test_answers_name_the_files(run, folder):
    answers = run.predict(folder / "test")
    assert list(answers.columns) == ["file", "prediction", "p_lower", "p_upper"]
    assert answers["file"].str.startswith(("lower/", "upper/")).all()
    assert (answers["prediction"] == answers["file"].str.split("/").str[0]).all()


def test_arrays_are_answered_like_files(run, folder):
    files = sorted((folder / "test").rglob("*.png"))
    array = np.stack([np.asarray(Image.open(path)) for path in files])
    names = [path.relative_to(folder / "test").as_posix() for path in files]
    of_files = run.predict(folder / "test").set_index("file").loc[names, "p_upper"]
    assert run.predict(array)["p_upper"].to_numpy() == pytest.approx(of_files.to_numpy(), abs=1e-6)


def test_what_was_measured_and_shown_is_reported(run):
    texts = " ".join(notice.text for notice in run.notices)
    assert "preserve labels" in texts or "may not: left out" in texts
    found = json.loads((run.path / "pictures.json").read_text())
    altered = {one["alteration"]: one["value"] for one in found["altered"]}
    assert altered["unaltered"] == 1.0
    assert altered["upside down"] == 0.0
    page = (run.path / "report.html").read_text()
    assert "Altered copies" in page
    assert found["close"]
    assert "Close calls" in page
    assert "Ridge on patches" in page


@pytest.mark.slow
def test_the_exported_file_takes_arrays(run, folder, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    exported = run.export("onnx", tmp_path / "onnx")
    (taken,) = json.loads((exported / "inputs.json").read_text())["inputs"]
    assert (taken["type"], taken["shape"]) == ("uint8", ["rows", SIDE, SIDE, 3])
    images, _ = drawn(6, seed=3)
    session = onnxruntime.InferenceSession(str(exported / "model.onnx"))
    on_onnx = dict(
        zip(
            [one.name for one in session.get_outputs()],
            session.run(None, {taken["name"]: images}),
            strict=True,
        )
    )
    assert on_onnx["probabilities"][:, 1] == pytest.approx(
        run.predict(images)["p_upper"].to_numpy(), abs=1e-5
    )


def test_the_source_answers_alone(run, folder, tmp_path):
    run_source = tmp_path / "model.py"
    done = subprocess.run(
        [sys.executable, "-m", "composable", "source", str(run.path), "--out", str(run_source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "composable" not in [
        line.split()[1] for line in run_source.read_text().splitlines() if line.startswith(("import", "from"))
    ]
    program = (
        "import json, sys, model\n"
        "loaded = model.load(sys.argv[1])\n"
        "print(json.dumps(model.predict(loaded, {'image': sys.argv[2:]})['p_upper']))"
    )
    files = sorted((folder / "test").rglob("*.png"))[:5]
    finished = subprocess.run(
        [sys.executable, "-c", program, str(run.path / "bundle"), *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    array = np.stack([np.asarray(Image.open(path)) for path in files])
    assert json.loads(finished.stdout) == pytest.approx(run.predict(array)["p_upper"].tolist(), abs=1e-5)


# What enters: manifests, arrays, and what is wrong with them.


def manifest(folder, tmp_path, **more):
    names = [path.relative_to(folder).as_posix() for path in sorted((folder / "train").rglob("*.png"))]
    rows = pd.DataFrame({"photo": names, "where": [name.split("/")[1] for name in names]}).assign(**more)
    rows.to_csv(folder / f"{tmp_path.name}.csv", index=False)
    return rows, folder / f"{tmp_path.name}.csv"


def prepared(data, *target):
    notices = []
    options = FitOptions(target=target)
    table = read(data, options)
    understood = understand_table(table, completed(options, table), notices.append)
    return prepare(understood, completed(options, table), notices.append), [notice.text for notice in notices]


def test_a_column_of_paths_is_a_column_of_images(folder, tmp_path):
    rows, path = manifest(folder, tmp_path)
    found, _ = prepared(path, "where")
    assert found.material.inputs["images"].shape == (160, SIDE, SIDE, 3)
    first = np.asarray(Image.open(folder / rows["photo"][0]))
    assert np.array_equal(found.material.inputs["images"][0], first)


def test_a_few_wrong_paths_are_named_and_left_out(folder, tmp_path):
    rows, path = manifest(folder, tmp_path)
    rows.loc[5, "photo"] = "train/lost.png"
    rows.to_csv(path, index=False)
    found, notices = prepared(path, "where")
    assert len(found.material.inputs["images"]) == 159
    assert any("row 6, 'train/lost.png'" in text and "No such file" in text for text in notices)


def test_many_wrong_paths_stop_the_fit(folder, tmp_path):
    rows, path = manifest(folder, tmp_path)
    rows.loc[3:12, "photo"] = "lost.png"
    rows.to_csv(path, index=False)
    with pytest.raises(DataError, match=r"10 of 160: row 4, 'lost.png'"):
        prepared(path, "where")


def test_arrays_by_name_may_stand_beside_columns(folder):
    images, low = drawn(30)
    found, _ = prepared({"photo": images, "age": np.arange(30) % 7, "where": low.astype(str)}, "where")
    assert {name: values.shape[1:] for name, values in found.material.inputs.items()} == {
        "images": (SIDE, SIDE, 3),
        "numbers": (1,),
    }


def several_images(rows, seed=0):
    """Rows of two images each, and whether their squares lie at the same height."""
    (left, low), (right, _) = drawn(rows, seed), drawn(rows, seed + 1)
    right = right[np.random.default_rng(seed).permutation(rows)]
    other = right[:, 6:].mean(axis=(1, 2, 3)) > right[:, :6].mean(axis=(1, 2, 3))
    return {"left": left, "right": right, "alike": np.where(other == low, "yes", "no")}


def test_several_columns_of_images_are_one_input_of_one_network(tmp_path):
    run = composable.fit(
        several_images(200), "alike", max_trials=1, max_epochs=30, metric="accuracy", out=tmp_path / "run"
    )
    assert [image.column for image in run.bundle.card.encoding.of(ImageBlock)] == ["left", "right"]
    assert run.bundle.model.input["images"].shape == (None, SIDE, SIDE, 6)
    asked = several_images(60, seed=5)
    expected = asked.pop("alike")
    answers = run.predict(asked)
    assert (answers["prediction"] == expected).mean() > 0.8
    swapped = run.predict({"left": asked["left"], "right": asked["left"]})
    assert not np.allclose(swapped["p_yes"], answers["p_yes"])
    with pytest.raises(DataError, match="lacks 'right'"):
        run.predict({"left": asked["left"]})
    shown = json.loads((run.path / "diagnostics.json").read_text())["importance"]
    assert {one["column"] for one in shown} == {"left", "right"}


def test_copies_of_an_image_stay_in_one_part():
    images, low = drawn(30)
    images[20:] = images[:10]
    low[20:] = 1 - low[20:]  # shown twice, and told differently: still the same image
    found, notices = prepared({"photo": images, "where": low.astype(str)}, "where")
    assert any("10 rows repeat the features" in text for text in notices)
    for fold in found.split.folds:
        held = {row % 20 for row in (*fold.held_out, *fold.test)}
        assert not held & {row % 20 for row in fold.train}


def test_rows_to_predict_name_images_that_are_there(run):
    with pytest.raises(DataError, match="must name images"):
        run.predict(pd.DataFrame({"image": ["nowhere.png"]}))
    with pytest.raises(DataError, match="lacks 'image'"):
        run.predict(pd.DataFrame({"photo": ["nowhere.png"]}))


# A trained network as the beginning.


def test_a_network_for_other_inputs_is_no_beginning(run, tmp_path):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=40), "y": rng.normal(size=40)})
    with pytest.raises(composable.ConfigError, match="takes such inputs"):
        composable.fit(rows, "y", start=run.path, max_trials=1, out=tmp_path / "run")


def test_only_what_is_trained_can_be_frozen(tmp_path):
    with pytest.raises(composable.ConfigError, match="--from"):
        composable.fit(pd.DataFrame({"x": [1.0], "y": [2.0]}), "y", freeze=True)


@pytest.mark.parametrize(
    ("asked", "shape"),
    [
        ({}, (64, 32, 3)),
        ({"image_size": 100}, (100, 50, 3)),
        ({"image_size": 8, "keep_aspect": True}, (8, 4, 3)),
    ],
)
def test_the_size_of_images_is_by_default_a_moderate_one(tmp_path, asked, shape):
    for number in range(24):
        path = tmp_path / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (100, 200), (number, 0, 0)).save(path)
    read_, options = read(tmp_path, FitOptions()), FitOptions(**asked)
    options = completed(options, read_)
    found = prepare(understand_table(read_, options, print), options, print)
    assert found.material.shapes["images"].shape == shape
    assert found.encoding.of(ImageBlock)[0].padded is options.keep_aspect


def test_a_size_out_of_range_is_refused():
    with pytest.raises(ConfigError, match="image_size"):
        FitOptions(image_size=2)


def known(table, options):
    prepared = prepare(understand_table(table, options, print), options, print)
    return facts_of(prepared.material, prepared.split, prepared.encoding)


def searched(folder, asked):
    """What the search makes of these options: its first candidate."""
    table, options = read(folder, FitOptions()), FitOptions(augment=asked)
    options = completed(options, table)
    return next(candidates(augmented_as(known(table, options), options.augment), seed=0))


def test_a_person_decides_what_is_done_to_images(folder):
    settings = searched(folder, ("flip", "cutout", "mixup")).settings
    assert [part.component.__name__ for part in settings.augment] == ["flip", "cutout"]
    assert (settings.mixup, settings.cutmix) == (0.2, 0.0)
    assert searched(folder, ("none",)).settings.augment == ()


@pytest.mark.parametrize(
    ("seconds", "names"), [(0.5, ["flip"]), (150.0, ["flip", "cutout"]), (1199.0, ["flip", "translate"])]
)
def test_many_images_are_altered_the_more_the_oftener_each_is_seen(folder, monkeypatch, seconds, names):
    monkeypatch.setattr(portfolio, "operations_per_second", lambda: 4e11)
    read_ = read(folder, FitOptions())
    options = completed(FitOptions(), read_)
    asked = replace(augmented_as(known(read_, options), ("flip", "translate")), rows=20_000)
    found = replace(asked, augmentation=replace(asked.augmentation, chosen=False))
    settings = next(candidates(found, seed=0, seconds=seconds)).settings
    assert [part.component.__name__ for part in settings.augment] == names
    settings = next(candidates(asked, seed=0, seconds=seconds)).settings
    assert [part.component.__name__ for part in settings.augment] == ["flip", "translate"]


@pytest.mark.parametrize("asked", [("mixup", "cutmix"), ("none", "flip")])
def test_augmentations_that_exclude_each_other_are_refused(folder, asked):
    with pytest.raises(ConfigError, match="exclude"):
        searched(folder, asked)


def test_images_that_would_fill_the_memory_are_read_from_a_file(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "SHARE", 1e-9)
    read_, options = read(folder, FitOptions()), FitOptions(max_trials=1, max_epochs=8)
    options = completed(options, read_)
    found = prepare(understand_table(read_, options, print), options, print)
    assert isinstance(found.material.inputs["images"], np.memmap)
    run = composable.fit(folder, max_trials=1, max_epochs=8, out=tmp_path / "run")
    assert run.evaluate(folder)["accuracy"] > 0.9


def test_without_a_limit_other_networks_are_tried_beside_the_first(folder):
    table = read(folder, FitOptions())
    options = completed(FitOptions(), table)
    prepared = prepare(understand_table(table, options, print), options, print)
    facts = facts_of(prepared.material, prepared.split, prepared.encoding)
    found = list(candidates(facts, seed=0))
    assert [one.name for one in found] == ["fast_cnn", "fast_cnn_deep", "resnet", "mobilenet"]
    family = families(facts, found)[0]
    drawn = [
        family.closed(lambda _, opening, n=n: opening.draw(np.random.default_rng(n)), f"fast_cnn_{n}")
        for n in range(4)
    ]
    assert len({repr(one.settings) for one in drawn}) > 1
    for candidate in (*found, *drawn):
        model, _ = outline(candidate.architecture, prepared.material.shapes)
        assert [tuple(output.shape) for output in model.outputs] == [(None, 1)]
    short = candidates(facts, seed=0, seconds=60.0)
    assert [one.name for one in short] == ["fast_cnn"]
    shares = [next(candidates(facts, seed=0, seconds=s)).share for s in (300.0, 900.0)]
    assert shares == [0.95, 0.475]  # two networks, one after the other, where there is time for both


def test_images_get_a_network_as_wide_as_its_weights_may_be_many(folder):
    table = read(folder, FitOptions())
    options = completed(FitOptions(), table)
    prepared = prepare(understand_table(table, options, print), options, print)
    facts = facts_of(prepared.material, prepared.split, prepared.encoding)
    found = replace(facts, most_weights=60_000)
    narrow, mobile = islice(candidates(found, seed=0, seconds=60.0), 2)
    wide = next(candidates(facts, seed=0))
    weights = [
        outline(one.architecture, prepared.material.shapes)[0].count_params() for one in (narrow, wide)
    ]
    assert weights[0] <= 60_000 < weights[1]
    assert (narrow.name, mobile.name) == ("fast_cnn", "mobilenet")
