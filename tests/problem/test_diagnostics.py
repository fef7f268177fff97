"""What `diagnostics.json` says of one head."""

from __future__ import annotations

import json

import numpy as np
import pytest

from composable.auto.diagnostics import head_diagnostics
from composable.problem.kinds.multiclass import POOLED
from composable.problem.problem import Head

PRICE = Head("price", "regression", ("price",))
INCOME = Head("income", "binary", ("income",), ("<=50K", ">50K"))
IRIS = Head("iris", "multiclass", ("iris",), ("a", "b", "c"))
GENRES = Head("genres", "multilabel", ("x", "y"), (0, 1))


def test_regression_keeps_what_was_observed_and_predicted() -> None:
    entry = head_diagnostics(PRICE, np.array([1.0, 2.0]), np.array([[1.5], [2.5]]))
    assert entry["observed"] == [1.0, 2.0]
    assert entry["predicted"] == [1.5, 2.5]
    assert (entry["name"], entry["kind"], entry["metrics"]) == ("price", "regression", {})


def test_regression_leaves_out_rows_without_a_number() -> None:
    observed = np.array([1.0, np.nan, 3.0, 1e308, 5.0])
    predicted = np.array([[1.0], [2.0], [np.inf], [-1e308], [5.0]])
    entry = head_diagnostics(PRICE, observed, predicted)
    assert entry["observed"] == [1.0, 5.0]


def test_regression_is_thinned_but_keeps_its_shape_and_its_extremes() -> None:
    random = np.random.default_rng(0)
    observed, noise = random.normal(size=9000), random.normal(size=9000)
    entry = head_diagnostics(PRICE, observed, (observed + noise)[:, None])
    residuals = np.array(entry["predicted"]) - np.array(entry["observed"])
    assert residuals.size == 2000
    assert residuals.max() == pytest.approx(noise.max())
    assert residuals.min() == pytest.approx(noise.min())
    assert np.quantile(residuals, [0.1, 0.5, 0.9]) == pytest.approx(
        np.quantile(noise, [0.1, 0.5, 0.9]), abs=0.02
    )
    assert entry == head_diagnostics(PRICE, observed, (observed + noise)[:, None])


def test_binary_confusion_is_observed_by_predicted() -> None:
    entry = head_diagnostics(INCOME, np.array([0, 0, 0, 1, 1]), np.array([[0.1], [0.2], [0.9], [0.8], [0.3]]))
    assert entry["confusion"] == [[2, 1], [1, 1]]
    assert entry["labels"] == ["<=50K", ">50K"]
    assert entry["roc"][0] == [0.0, 0.0]
    assert entry["roc"][-1] == [1.0, 1.0]


def test_roc_has_at_most_200_points() -> None:
    random = np.random.default_rng(0)
    entry = head_diagnostics(INCOME, random.integers(0, 2, 5000), random.random((5000, 1)))
    assert 100 < len(entry["roc"]) <= 200


def test_one_observed_class_has_no_roc() -> None:
    entry = head_diagnostics(INCOME, np.zeros(30, int), np.linspace(0, 1, 30)[:, None])
    assert entry["roc"] == []
    assert np.sum(entry["confusion"]) == 30


def test_reliability_bins_hold_equally_many_rows_and_tell_the_truth() -> None:
    chances = np.linspace(0, 1, 1000)
    observed = np.random.default_rng(0).random(1000) < chances
    bins = head_diagnostics(INCOME, observed.astype(int), chances[:, None])["reliability"]
    assert len(bins) == 10
    assert [entry["rows"] for entry in bins] == [100] * 10
    for entry in bins:
        assert entry["predicted"] == pytest.approx(entry["observed"], abs=0.15)


def test_multiclass_reliability_is_about_the_chosen_class() -> None:
    chances = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1]])
    entry = head_diagnostics(IRIS, np.array([0, 0]), chances)
    assert entry["reliability"] == [{"predicted": pytest.approx(0.7), "observed": 0.5, "rows": 2}]
    assert entry["confusion"] == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]


def test_very_many_classes_are_pooled() -> None:
    labels = tuple(f"c{place}" for place in range(1000))
    codes = np.concatenate([np.arange(1000), np.arange(0, 1000, 10)])
    chances = np.zeros((codes.size, 1000))
    chances[np.arange(codes.size), codes] = 1
    entry = head_diagnostics(Head("many", "multiclass", ("many",), labels), codes, chances)
    assert len(entry["labels"]) == len(entry["confusion"]) == 200
    assert entry["labels"][-1] == POOLED
    assert {"c0", "c990"} <= set(entry["labels"])
    assert np.trace(entry["confusion"]) == codes.size
    assert entry["classes"] == 1000


def test_multilabel_counts_each_label() -> None:
    observed = np.array([[0, 1], [1, 1], [0, 0]])
    chances = np.array([[0.1, 0.9], [0.9, 0.2], [0.6, 0.1]])
    entry = head_diagnostics(GENRES, observed, chances)
    assert entry["confusions"] == [[[1, 1], [0, 1]], [[1, 0], [1, 1]]]
    assert entry["targets"] == ["x", "y"]


@pytest.mark.parametrize("head", [PRICE, INCOME, IRIS, GENRES], ids=lambda head: head.kind)
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_nothing_is_ever_nan(head: Head, rows: int) -> None:
    """Few rows, and predictions that are not numbers: still JSON without NaN or infinity."""
    predicted = np.full((rows, head.width), np.nan)
    predicted[::2] = 0.5
    predicted[1::4] = np.inf
    observed = np.zeros((rows, head.width) if head.kind == "multilabel" else rows)
    json.dumps(head_diagnostics(head, observed, predicted), allow_nan=False)
