"""A run says which columns it uses, and what each adds to a prediction."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import composable
from composable.core.errors import ArtifactError, ConfigError, DataError
from composable.explain.contributions import FILE

KINDS = ["regression", "binary", "multiclass", "multilabel", "several heads"]


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_sum_to_the_prediction_minus_the_mean_one(fitted, cars, kind):
    run, rows = fitted(kind), cars.iloc[[3, 17]].set_index(np.array(["a", "b"]))
    found, predicted = run.explain(rows), run.predict(rows)
    sums = found.groupby(["row", "target"]).agg(
        added=("contribution", "sum"), value=("value", "first"), mean=("mean", "first")
    )
    np.testing.assert_allclose(sums["added"], sums["value"] - sums["mean"], rtol=1e-4, atol=1e-5)
    targets = run.problem.targets
    assert set(found["target"]) == set(targets)
    for (row, target), lines in found.groupby(["row", "target"]):
        middle = f"_{target}" if len(targets) > 1 else ""
        label, value = lines["prediction"].iloc[0], lines["value"].iloc[0]
        assert label == predicted.loc[row, f"prediction{middle}"]
        explained = f"p{middle}_{label}" if f"p{middle}_{label}" in predicted else f"prediction{middle}"
        assert value == pytest.approx(predicted.loc[row, explained], rel=1e-4)
        assert sorted(lines["column"]) == sorted(run.bundle.card.encoding.columns)
        assert lines["contribution"].abs().is_monotonic_decreasing
        cells = dict(zip(lines["column"], lines["cell"], strict=True))
        assert {name: str(cell) for name, cell in cells.items()} == {n: str(rows.loc[row, n]) for n in cells}


def test_rows_can_be_compared_with_other_ones(fitted, cars):
    run = fitted("regression")
    same = run.explain(cars.head(1), background=cars.head(1))
    assert np.allclose(same["contribution"], 0)
    assert same["mean"].iloc[0] == same["value"].iloc[0]
    assert list(run.explain(cars.head(0)).columns) == list(same.columns)


def test_without_background_rows_nothing_can_be_explained(fitted, cars, tmp_path):
    copied = shutil.copytree(fitted("regression").path, tmp_path / "run", ignore=lambda *_: [FILE])
    with pytest.raises(ConfigError, match="background"):
        composable.Run(copied).explain(cars.head(1))


def test_the_importance_of_columns_is_read_from_the_run_or_measured_on_rows(fitted, cars):
    run = fitted("regression")
    stored, measured = run.feature_importance(), run.feature_importance(cars)
    columns = set(run.bundle.card.encoding.columns)
    assert set(stored["column"]) == set(measured["column"]) == columns
    assert list(stored.columns) == list(measured.columns) == ["column", "importance", "spread"]
    assert measured["importance"].is_monotonic_decreasing
    assert np.isfinite(measured[["importance", "spread"]]).all(axis=None)
    with pytest.raises(DataError, match="price"):
        run.feature_importance(cars.drop(columns="price"))


def test_a_run_that_has_not_ended_has_no_importance_yet(fitted, tmp_path):
    copied = shutil.copytree(
        fitted("regression").path, tmp_path / "run", ignore=lambda *_: ["diagnostics.json"]
    )
    with pytest.raises(ArtifactError, match="labeled rows"):
        composable.Run(copied).feature_importance()
