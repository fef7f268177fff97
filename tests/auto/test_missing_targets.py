"""Rows that lack some of several targets are learned from for the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import composable
from composable.auto.divide import copies
from composable.auto.sample_weight import balanced
from composable.cli.main import run as command
from composable.core.errors import DataError
from composable.data.infer import infer_schema
from composable.data.read import read_table
from composable.problem.targets import understand

TARGETS = ("price", "fast")
QUICK = {"drop": ("class", "red", "big"), "max_trials": 3, "max_epochs": 3}


@pytest.fixture(scope="module")
def gappy(make_table) -> pd.DataFrame:
    """240 rows, of which 72 lack each of two targets, at random."""
    frame = make_table(240).astype({"fast": object})
    for seed, target in enumerate(TARGETS):
        rows = np.random.default_rng(seed).permutation(len(frame))[:72]
        frame.loc[rows, target] = np.nan
    return frame[frame[list(TARGETS)].notna().any(axis=1)].reset_index(drop=True)


@pytest.fixture(scope="module")
def run(gappy, tmp_path_factory):
    path = tmp_path_factory.mktemp("gappy") / "cars.csv"
    gappy.to_csv(path, index=False)
    return composable.fit(path, TARGETS, **QUICK, out=path.with_name("run"))


def test_every_row_with_some_target_is_used_and_counted(run, gappy):
    assert run.facts["data"]["rows"] == len(gappy)
    lacking = gappy[list(TARGETS)].isna().any(axis=1).sum()
    text = " ".join(notice.text for notice in run.notices)
    assert f"{lacking} rows lack some of the targets" in text
    assert "'price' has a value in 168" in text
    assert "'fast' has a value in 168" in text


def test_all_trials_are_scored_and_one_is_deployed(run):
    board = run.leaderboard()
    assert np.isfinite(board["validation"].to_numpy("float64")).all()
    assert {"network", "reference"} <= set(board["role"])
    assert board["deployed"].sum() == 1


def test_the_metrics_of_a_target_count_the_rows_that_have_it(run, gappy):
    found, answers = run.evaluate(gappy), run.predict(gappy)
    known = gappy["price"].notna()
    away = answers["prediction_price"][known] - gappy["price"][known]
    assert found["price/rmse"] == pytest.approx(np.sqrt((away**2).mean()), rel=1e-5)
    known = gappy["fast"].notna()
    right = answers["prediction_fast"][known] == gappy["fast"][known]
    assert found["fast/accuracy"] == pytest.approx(right.mean())
    assert found["rows"] == len(gappy)


def test_rows_that_have_one_target_alone_can_be_evaluated(run, gappy):
    found = run.evaluate(gappy.assign(fast=np.nan))
    assert "price/rmse" in found
    assert not any(name.startswith("fast/") for name in found)


def test_the_report_shows_both_targets(run):
    html = (run.path / "report.html").read_text()
    assert "price" in html
    assert "fast" in html


def test_the_command_line_takes_such_a_file_and_tests_on_another(gappy, tmp_path, capsys):
    gappy.to_csv(tmp_path / "cars.csv", index=False)
    gappy.head(50).to_csv(tmp_path / "test.csv", index=False)
    options = ["--target", "price", "--target", "fast", "--max-trials", "1", "--max-epochs", "1"]
    drop = [part for name in QUICK["drop"] for part in ("--drop", name)]
    files = [tmp_path / "cars.csv", "--test", tmp_path / "test.csv", "--out", tmp_path / "run"]
    assert command(["fit", *map(str, files), *options, *drop]) == 0
    assert "rows lack some of the targets" in "".join(capsys.readouterr())
    assert command(["evaluate", str(tmp_path / "run"), str(tmp_path / "test.csv")]) == 0


def test_a_row_without_any_target_is_left_out_on_demand(gappy, tmp_path):
    gappy = gappy.copy()
    gappy.loc[[4, 9], list(TARGETS)] = np.nan
    with pytest.raises(DataError, match=r"2 of \d+ rows have none in 'price', 'fast', first rows 5, 10"):
        composable.fit(gappy, TARGETS, **QUICK, out=tmp_path / "refused")
    run = composable.fit(gappy, TARGETS, **QUICK | {"max_trials": 1}, drop_missing_target=True,
                         out=tmp_path / "run")  # fmt: skip
    assert "2 rows without a target are left out" in " ".join(notice.text for notice in run.notices)


def test_a_target_that_no_row_has_is_refused(gappy, tmp_path):
    with pytest.raises(DataError, match="0 rows with a value in 'fast'"):
        composable.fit(
            gappy.assign(fast=np.nan).dropna(subset="price"), TARGETS, **QUICK, out=tmp_path / "run"
        )


def test_a_target_that_training_rows_lack_is_refused(gappy, tmp_path):
    parts = np.where(gappy["fast"].isna(), "train", "validation")
    with pytest.raises(DataError, match="training rows, none with 'fast'"):
        composable.fit(gappy.assign(part=parts), TARGETS, split="column:part", **QUICK, out=tmp_path / "run")


def test_labels_that_some_rows_lack_are_learned_from_the_others(make_table, tmp_path):
    frame = make_table(120).astype({"red": "float64", "big": "float64"})
    frame.loc[::3, "red"], frame.loc[1::3, "big"] = np.nan, np.nan
    run = composable.fit(
        frame, ("red", "big"), problem="multilabel", drop=("price", "fast", "class"), max_trials=2,
        max_epochs=20, out=tmp_path / "run",
    )  # fmt: skip
    assert run.evaluate(frame)["rows"] == 120
    assert run.evaluate(make_table(200, seed=5))["roc_auc"] > 0.6


def test_balanced_weights_are_those_of_the_targets_that_a_row_has():
    frame = pd.DataFrame({"x": range(40), "a": ["p"] * 30 + ["q"] * 10, "b": ["r", "s"] * 20})
    frame.loc[:9, "a"], frame.loc[30:, "b"] = None, None
    table = read_table(frame)
    schema, _ = infer_schema(table, ("a", "b"))
    weights = balanced(None, table, schema, understand(frame, schema))
    np.testing.assert_allclose(weights[[0, 10, 30]], [1.0, 30 / (2 * 20), 30 / (2 * 10)])


def test_copies_that_have_different_targets_do_not_disagree():
    frame = pd.DataFrame(
        {"x": [*range(20)] * 2, "a": [0.5] * 20 + [np.nan] * 20, "b": [np.nan] * 20 + [1.5] * 20}
    )
    table = read_table(frame)
    schema, _ = infer_schema(table, ("a", "b"))
    targets = [frame[["a"]].to_numpy(copy=True), frame[["b"]].to_numpy()]
    found = copies(table, schema, targets, None, lambda notice: None)
    assert (found[:20] == found[20:]).all()
    targets[0][20:] = 2.5
    assert len(np.unique(copies(table, schema, targets, None, lambda notice: None))) == 40
