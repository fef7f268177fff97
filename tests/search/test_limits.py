"""Limits of the deployed model, and the choice of a single candidate."""

from __future__ import annotations

import math

import pytest

from composable.search.limits import Limits, SingleChoice, total

COST = {"parameters": 1000, "bytes": 4000, "latency_ms": 0.5}


def test_the_first_limit_that_is_exceeded_is_said_with_both_amounts():
    assert Limits().exceeded(COST) == ""
    assert Limits(1000, 4000, 0.5).exceeded(COST) == ""
    assert Limits(parameters=999).exceeded(COST) == "1,000 weights, of 999 weights at most"
    assert "4,000 bytes" in Limits(bytes=3999).exceeded(COST)
    assert Limits(latency_ms=0.4).exceeded(COST) == "0.5 ms for a row, of 0.4 ms for a row at most"


def test_how_often_a_cost_fits_is_decided_by_the_tightest_limit():
    assert Limits().most_times(COST, {}) == math.inf
    assert Limits(parameters=3500).most_times(COST, {}) == 3.5
    assert Limits(parameters=3500, latency_ms=1.0).most_times(COST, {}) == 2.0
    assert Limits(parameters=3500).most_times(COST, {"parameters": 1500}) == 2.0
    assert Limits(bytes=8000).most_weights == 2000


def test_costs_add_up_and_one_that_is_not_known_of_all_is_left_out():
    assert total([COST, COST]) == {"parameters": 2000, "bytes": 8000, "latency_ms": 1.0}
    assert total([COST, {"parameters": 1}]) == {"parameters": 1001}


@pytest.mark.parametrize(
    ("metric", "scores", "tolerance", "constant", "chosen"),
    [
        ("rmse", [10.0, 9.0, 9.1, 11.0], 0.0, 20.0, 1),
        ("rmse", [10.0, 9.0, 9.1, 11.0], 0.01, 20.0, 2),  # 0.11 may be lost
        ("rmse", [10.0, 9.0, 9.1, 11.0], 0.1, 20.0, 0),  # 1.1 may be lost, and the first is the smallest
        ("roc_auc", [0.8, 0.9, 0.89, 0.5], 0.05, 0.5, 2),
        ("roc_auc", [0.8, 0.9, 0.89, 0.5], 0.02, 0.5, 1),
        ("rmse", [10.0, 9.0, 9.0, 11.0], 0.0, 20.0, 2),  # equally good: the smaller one
        ("rmse", [10.0, math.nan, 9.1, 11.0], 0.0, 20.0, 2),
        ("rmse", [10.0, 9.0, 9.1, 11.0], 0.5, math.nan, 1),  # no gain is known
        ("rmse", [10.0, 9.0, 9.1, 11.0], 0.5, 8.0, 1),  # there is none
        ("rmse", [math.nan] * 4, 0.5, 8.0, 0),
    ],
)
def test_the_smallest_of_those_that_are_nearly_as_good_is_chosen(metric, scores, tolerance, constant, chosen):
    weights = [100, 1000, 500, 50]
    assert SingleChoice(tolerance).of(metric, scores, weights, constant) == chosen
