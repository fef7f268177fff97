"""The bundle answers raw rows and says what was odd about them (rows D24-D26, A9, A12, A14)."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from composable.core.errors import ArtifactError, DataError
from composable.deploy.bundle import Bundle, load_bundle, save_bundle
from composable.deploy.export import golden_rows
from composable.problem.problem import Head

ROW = {
    "size": 5.0,
    "stamp": 1.7e9 + 500,
    "sold": "2020-02-03",
    "make": "bmw",
    "fuel": "gas",
    "note": "Good car",
}


def _frame(**changes: Any) -> pd.DataFrame:
    return pd.DataFrame([{**ROW, **changes}])


def _values(bundle: Bundle, data: Any) -> np.ndarray:
    return bundle.predict(data).select_dtypes("number").to_numpy()


def test_the_card_survives_and_the_model_is_lazy(tiny: SimpleNamespace) -> None:
    bundle = load_bundle(tiny.folder)
    assert bundle.card == tiny.card
    assert "model" not in vars(bundle)
    assert isinstance(bundle.model, keras.Model)


@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), (False, True), (0.0, 1.0), (1, "1")])
def test_labels_survive_with_their_types(bundle_of: Callable[..., Bundle], labels: tuple[Any, Any]) -> None:
    found = bundle_of(Head("y", "binary", ("y",), labels)).card.problem.heads[0].labels
    assert [(type(label), label) for label in found] == [(type(label), label) for label in labels]


def test_a_run_folder_stands_for_its_bundle(tiny: SimpleNamespace, tmp_path: Path) -> None:
    shutil.copytree(tiny.folder, tmp_path / "run" / "bundle")
    (tmp_path / "run" / "run.json").write_text("{}")
    assert load_bundle(tmp_path / "run").card == tiny.card


def test_an_altered_bundle_is_refused(tiny: SimpleNamespace, tmp_path: Path) -> None:
    shutil.copytree(tiny.folder, tmp_path / "bundle")
    card = tmp_path / "bundle" / "bundle.json"
    card.write_text(card.read_text().replace("tiny", "tony"))
    with pytest.raises(ArtifactError, match=r"bundle\.json was altered"):
        load_bundle(tmp_path / "bundle")


def test_a_card_of_another_version_is_refused(tiny: SimpleNamespace, tmp_path: Path) -> None:
    from composable.deploy.publish import whole_folder

    with whole_folder(tmp_path / "bundle") as partial:
        (partial / "model.keras").write_bytes(tiny.bundle.files["model.keras"])
        (partial / "bundle.json").write_text(json.dumps({"format": "composable.bundle/99"}))
    with pytest.raises(ArtifactError, match="this version"):
        load_bundle(tmp_path / "bundle")


def test_a_model_that_could_not_be_loaded_is_not_saved(tiny: SimpleNamespace, tmp_path: Path) -> None:
    save_bundle(tmp_path / "bundle", tiny.model, tiny.card)
    before = (tmp_path / "bundle" / "manifest.json").read_text()
    start = keras.Input((2,))
    foreign = keras.Model(start, keras.layers.Lambda(lambda x: x)(start))
    with pytest.raises(ArtifactError, match="Lambda"):
        save_bundle(tmp_path / "bundle", foreign, tiny.card)
    assert (tmp_path / "bundle" / "manifest.json").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_path_and_a_frame_get_the_same_answers(tiny: SimpleNamespace, tmp_path: Path) -> None:
    frame = pd.concat([_frame(), _frame(make="AUDI", note=None, sold=None)], ignore_index=True)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    answers = tiny.bundle.predict(tmp_path / "rows.csv")
    pd.testing.assert_frame_equal(answers, tiny.bundle.predict(frame))
    assert answers.columns.tolist() == [
        "prediction_price",
        "prediction_grade",
        "p_grade_low",
        "p_grade_mid",
        "p_grade_high",
    ]


def test_the_index_of_a_frame_is_kept(tiny: SimpleNamespace) -> None:
    assert tiny.bundle.predict(_frame().set_axis(["car 7"])).index.tolist() == ["car 7"]


def test_the_batch_does_not_matter(tiny: SimpleNamespace) -> None:
    rows = pd.DataFrame(golden_rows(tiny.card, rows=1500))
    whole = _values(tiny.bundle, rows)
    assert len(whole) == 1500
    np.testing.assert_allclose(
        whole[[0, 700, 1499]], _values(tiny.bundle, rows.iloc[[0, 700, 1499]]), atol=1e-5
    )


def test_unseen_categories_count_as_unknown(tiny: SimpleNamespace) -> None:
    rows = pd.concat([_frame(make="tesla"), _frame(make="lada"), _frame()], ignore_index=True)
    prediction = tiny.bundle.answer(rows)
    assert [(n.column, n.text.split()[:3]) for n in prediction.notices] == [("make", ["2", "of", "3"])]
    values = prediction.frame.select_dtypes("number").to_numpy()
    np.testing.assert_array_equal(values[0], values[1])
    assert tiny.bundle.predict(rows).attrs["notices"] == [prediction.notices[0].text]


def test_missing_columns_are_named(tiny: SimpleNamespace) -> None:
    with pytest.raises(DataError, match="'size', 'fuel'"):
        tiny.bundle.predict(_frame().drop(columns=["size", "fuel"]))


def test_an_extra_column_is_named_and_order_is_free(tiny: SimpleNamespace) -> None:
    rows = _frame(price=3, color="red")[["color", "note", "price", "fuel", "make", "sold", "stamp", "size"]]
    prediction = tiny.bundle.answer(rows)
    assert ["'color'" in notice.text for notice in prediction.notices] == [True]
    np.testing.assert_array_equal(prediction.frame.select_dtypes("number"), _values(tiny.bundle, _frame()))


def test_numbers_as_text_are_read_and_nonsense_is_refused_with_its_row(tiny: SimpleNamespace) -> None:
    np.testing.assert_array_equal(_values(tiny.bundle, _frame(size="5.0")), _values(tiny.bundle, _frame()))
    rows = pd.concat([_frame(size="5.0"), _frame(size="large")], ignore_index=True)
    with pytest.raises(DataError, match=r"(?s)size.*row 2.*large"):
        tiny.bundle.predict(rows)


def test_far_out_values_give_finite_answers_and_a_notice(tiny: SimpleNamespace) -> None:
    for value in (1e30, -1e30, 1e300):
        prediction = tiny.bundle.answer(_frame(size=value))
        assert np.isfinite(prediction.frame.select_dtypes("number")).all(axis=None)
        assert ["outside the training range 0 to 10" in notice.text for notice in prediction.notices] == [
            True
        ]


def test_missing_values_give_finite_answers(tiny: SimpleNamespace) -> None:
    prediction = tiny.bundle.answer(_frame(**dict.fromkeys(ROW)))
    assert np.isfinite(prediction.frame.select_dtypes("number")).all(axis=None)
    assert prediction.notices == ()


def test_an_empty_table_gives_an_empty_answer(tiny: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text(",".join(ROW) + "\n")
    full = tiny.bundle.predict(_frame())
    for data in (_frame().iloc[:0], tmp_path / "empty.csv"):
        empty = tiny.bundle.predict(data)
        assert empty.shape == (0, 5)
        assert empty.columns.tolist() == full.columns.tolist()


_PREDICT = """
import sys
from composable.deploy.bundle import load_bundle
load_bundle(sys.argv[1]).predict(sys.argv[2]).to_csv(sys.argv[3])
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch isn't installed")
def test_another_backend_answers_the_same(tiny: SimpleNamespace, tmp_path: Path) -> None:
    rows = pd.DataFrame(golden_rows(tiny.card).drop(columns="sold").assign(sold="2020-02-03"))
    rows.to_csv(tmp_path / "rows.csv", index=False)
    files = [str(path) for path in (tiny.folder, tmp_path / "rows.csv", tmp_path / "out.csv")]
    subprocess.run(
        [sys.executable, "-c", _PREDICT, *files], env={**os.environ, "KERAS_BACKEND": "torch"}, check=True
    )
    there = pd.read_csv(tmp_path / "out.csv", index_col=0).select_dtypes("number")
    here = tiny.bundle.predict(tmp_path / "rows.csv").select_dtypes("number")
    np.testing.assert_allclose(there, here, atol=1e-4)
