"""Greedy selection: never worse than the best alone, and no more members than wanted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from composable.problem.problem import Head, Problem
from composable.search.ensemble import blend_members, greedy_weights
from composable.search.predictions import blend
from composable.search.scorer import Scorer
from composable.search.trial import Trial
from tests.search.test_expected import split_of, trial_of

Y = np.arange(9.0)


def mixed(predictions, weights):
    return blend(predictions, list(weights))


def greedy(scorer, predictions, **bounds):
    parts = scorer.scored_parts
    rows = np.concatenate(parts)
    each = [[head[rows] for head in one.out_of_fold] for one in predictions]
    return greedy_weights(scorer.on_parts(parts), scorer.problem.metric, each, **bounds)


def test_errors_that_cancel_are_found(scorer, predictions_of):
    predictions = [predictions_of(Y + 1), predictions_of(Y + 5), predictions_of(Y - 1)]
    weights = greedy(scorer, predictions, networks=[1] * 3, most=3)
    assert weights.tolist() == [0.5, 0, 0.5]
    assert scorer.selection(mixed(predictions, weights)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_never_worse_than_the_best_alone(scorer, predictions_of, seed):
    random = np.random.default_rng(seed)
    predictions = [predictions_of(Y + random.normal(0, scale, 9)) for scale in (0.1, 1, 3, 3)]
    weights = greedy(scorer, predictions, networks=[1] * 4, most=4)
    assert weights.sum() == pytest.approx(1)
    assert scorer.selection(mixed(predictions, weights)) <= min(map(scorer.selection, predictions))


@pytest.mark.parametrize("most", [1, 2, 3, 10, 17])
def test_no_more_networks_than_wanted(scorer, predictions_of, most):
    random, networks = np.random.default_rng(0), np.array([8, 1, 1, 8, 1, 8])
    predictions = [predictions_of(Y + random.normal(0, 1, 9)) for _ in networks]
    taken = greedy(scorer, predictions, networks=networks.tolist(), most=most) > 0
    assert 0 < networks[taken].sum() <= most
    assert most < 10 or networks[taken].max() == 8


def test_a_perfect_candidate_stays_alone(scorer, predictions_of):
    assert greedy(scorer, [predictions_of(Y + 1), predictions_of(Y)], networks=[1, 1], most=2).tolist() == [
        0,
        1,
    ]


def test_where_higher_is_better(scorer, predictions_of):
    y = (Y % 2)[:, None]
    accuracy = replace(
        scorer, problem=Problem((Head("s", "binary", ("s",), (0, 1)),), "accuracy"), targets=(y,)
    )
    predictions = [predictions_of(1 - y), predictions_of(y)]
    assert greedy(accuracy, predictions, networks=[1, 1], most=2).tolist() == [0, 1]


def test_candidates_without_a_score_get_no_weight(scorer, predictions_of):
    predictions = [predictions_of(np.full(9, np.nan)), predictions_of(Y + 1)]
    assert greedy(scorer, predictions, networks=[1, 1], most=2).tolist() == [0, 1]
    assert greedy(scorer, predictions[:1], networks=[1], most=1).tolist() == [0]


def test_an_ensemble_took_as_long_as_its_members(tmp_path):
    y = np.random.default_rng(0).normal(size=(440, 1))
    scorer = Scorer(Problem((Head("y", "regression", ("y",)),), "rmse"), split_of(len(y)), (y,))
    members = [
        trial_of(number, scorer, lambda _, rows: y[rows], tmp_path / str(number)) for number in range(2)
    ]
    for member in members:
        member.cost = {"parameters": 1, "bytes": 1, "latency_ms": 1.0}
    trial = Trial(2, tmp_path / "2", "ensemble", "ensemble", members=tuple((one, 0.5) for one in members))
    blend_members(trial, scorer)
    assert trial.seconds == sum(one.seconds for one in members) > 0
