"""Greedy selection: never worse than the best alone, and no more members than wanted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from composable.problem.problem import Head, Problem
from composable.search.ensemble import greedy_weights
from composable.search.opinion import blend

Y = np.arange(9.0)


def mixed(opinions, weights):
    return blend(opinions, list(weights))


def test_errors_that_cancel_are_found(judge, opinion_of):
    opinions = [opinion_of(Y + 1), opinion_of(Y + 5), opinion_of(Y - 1)]
    weights = greedy_weights(judge, opinions, networks=[1] * 3, most=3)
    assert weights.tolist() == [0.5, 0, 0.5]
    assert judge.selection(mixed(opinions, weights)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_never_worse_than_the_best_alone(judge, opinion_of, seed):
    random = np.random.default_rng(seed)
    opinions = [opinion_of(Y + random.normal(0, scale, 9)) for scale in (0.1, 1, 3, 3)]
    weights = greedy_weights(judge, opinions, networks=[1] * 4, most=4)
    assert weights.sum() == pytest.approx(1)
    assert judge.selection(mixed(opinions, weights)) <= min(map(judge.selection, opinions))


@pytest.mark.parametrize("most", [1, 2, 3, 10, 17])
def test_no_more_networks_than_wanted(judge, opinion_of, most):
    random, networks = np.random.default_rng(0), np.array([8, 1, 1, 8, 1, 8])
    opinions = [opinion_of(Y + random.normal(0, 1, 9)) for _ in networks]
    taken = greedy_weights(judge, opinions, networks=networks.tolist(), most=most) > 0
    assert 0 < networks[taken].sum() <= most
    assert most < 10 or networks[taken].max() == 8


def test_a_perfect_candidate_stays_alone(judge, opinion_of):
    assert greedy_weights(judge, [opinion_of(Y + 1), opinion_of(Y)], networks=[1, 1], most=2).tolist() == [
        0,
        1,
    ]


def test_where_higher_is_better(judge, opinion_of):
    y = (Y % 2)[:, None]
    accuracy = replace(
        judge, problem=Problem((Head("s", "binary", ("s",), (0, 1)),), "accuracy"), targets=(y,)
    )
    opinions = [opinion_of(1 - y), opinion_of(y)]
    assert greedy_weights(accuracy, opinions, networks=[1, 1], most=2).tolist() == [0, 1]


def test_candidates_without_a_score_get_no_weight(judge, opinion_of):
    opinions = [opinion_of(np.full(9, np.nan)), opinion_of(Y + 1)]
    assert greedy_weights(judge, opinions, networks=[1, 1], most=2).tolist() == [0, 1]
    assert greedy_weights(judge, opinions[:1], networks=[1], most=1).tolist() == [0]
