"""How much each row counts: a column of weights, and classes that count alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import composable
from composable.auto.options import FitOptions
from composable.auto.prepare import read, understand_table
from composable.core.errors import ConfigError, DataError

SMALL = {"max_trials": 1, "max_epochs": 2}


def understood(frame, **options):
    options = FitOptions(**options)
    return understand_table(read(frame, options), options, lambda notice: None)


@pytest.fixture
def weighed(cars):
    """The cars with a column of weights."""
    return cars[["size", "make", "fast", "class"]].assign(counts=np.linspace(0, 2, len(cars)))


def test_a_column_of_weights_is_not_seen_and_rows_without_weight_are_left_out(weighed):
    found = understood(weighed, target=("fast",), weight="counts")
    assert [column.name for column in found.schema.features] == ["size", "make", "class"]
    assert len(found.table.frame) == 79
    np.testing.assert_allclose(found.weights, weighed["counts"][1:] / weighed["counts"][1:].mean(), rtol=1e-5)


def test_a_column_of_weights_is_read_from_a_file_as_its_other_numbers_are(weighed, tmp_path):
    weighed.to_csv(tmp_path / "cars.csv", index=False, sep=";", decimal=",")
    found = understood(tmp_path / "cars.csv", target=("fast",), weight="counts", delimiter=";")
    assert len(found.table.frame) == 79


def test_the_model_is_asked_without_the_column_of_weights(weighed, tmp_path):
    run = composable.fit(weighed, "fast", weight="counts", **SMALL, out=tmp_path / "run")
    assert len(run.predict(weighed[["size", "make", "class"]])) == 80


def test_a_schema_of_ones_own_does_not_make_the_weights_a_feature(weighed, tmp_path):
    composable.fit(weighed, "fast", **SMALL, out=tmp_path / "run")
    schema = str(tmp_path / "run" / "schema.json")
    found = understood(weighed, target=("fast",), weight="counts", schema=schema)
    assert "counts" not in [column.name for column in found.schema.features]


@pytest.mark.parametrize(
    ("column", "refused", "message"),
    [
        ("count", ConfigError, "did you mean 'counts'"),
        ("make", DataError, "number"),
        ("fast", ConfigError, "neither the target"),
    ],
)
def test_what_can_not_be_a_weight_is_refused(weighed, column, refused, message):
    with pytest.raises(refused, match=message):
        understood(weighed, target=("fast",), weight=column)


def test_weights_from_two_places_are_refused(weighed):
    with pytest.raises(ConfigError, match="one place"):
        composable.fit(weighed, "fast", weight="counts", sample_weight=np.ones(80))


@pytest.mark.parametrize("weight", [None, "counts"])
def test_balanced_classes_count_alike_in_all(weighed, weight):
    found = understood(weighed, target=("class",), class_weight="balanced", weight=weight, drop=("fast",))
    own = np.ones(80) if weight is None else weighed["counts"][1:].to_numpy()
    classes = found.table.frame["class"].to_numpy()
    shares = pd.Series(found.weights / own).groupby(classes).sum()
    np.testing.assert_allclose(shares, shares.mean(), rtol=1e-4)


@pytest.mark.parametrize(
    "options", [{"target": ("size",)}, {"target": ("red", "big"), "problem": "multilabel"}]
)
def test_class_weights_without_classes_are_refused(cars, options):
    with pytest.raises(ConfigError, match="--class-weight is only for"):
        understood(cars.dropna(), class_weight="balanced", **options)
