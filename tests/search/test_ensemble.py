"""Greedy selection: never worse than the best alone, and no more members than wanted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from composable.problem.problem import Head, Problem
from composable.search.ensemble import bagged_weights, blend_members, greedy_weights
from composable.search.policy import MOST_NETWORKS
from composable.search.predictions import blend
from composable.search.scorer import Scorer
from composable.search.trial import Trial, is_better
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


def bagged(scorer, answers, *, seed=0, networks=None):
    parts = scorer.scored_parts
    each = [[one[np.concatenate(parts)]] for one in answers]
    return bagged_weights(scorer, parts, each, networks=networks or [1] * len(each), seed=seed)


def ranking(rows, seed=0):
    """A scorer by the area under the curve, two candidates with errors of their own, and a wrong one."""
    rng = np.random.default_rng(seed)
    y = (rng.random((rows, 1)) < 0.1).astype(float)
    scorer = Scorer(Problem((Head("y", "binary", ("y",), (0, 1)),), "roc_auc"), split_of(rows), (y,))
    noisy = [1 / (1 + np.exp(-(2 * y - 1 + rng.normal(size=y.shape)))) for _ in range(2)]
    return scorer, noisy, 1 - noisy[0]


def test_what_bags_choose_on_few_rows_predicts_others_better():
    """A single selection takes what suits just these rows."""
    errors: dict[str, list[float]] = {"bags": [], "single": []}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        y = (rng.random((500 + 80, 1)) < 0.5).astype(float)
        scorer = Scorer(Problem((Head("y", "binary", ("y",), (0, 1)),), "roc_auc"), split_of(len(y)), (y,))
        alike = 2 * y - 1 + rng.normal(size=y.shape)
        each = [1 / (1 + np.exp(-(alike + rng.normal(size=y.shape)))) for _ in range(5)]
        rows = np.concatenate(scorer.scored_parts)
        unseen = np.setdiff1d(np.arange(len(y)), rows)
        score = scorer.on_parts(scorer.scored_parts)
        single = greedy_weights(score, "roc_auc", [[one[rows]] for one in each], networks=[1] * 5, most=24)
        for name, weights in (("bags", bagged(scorer, each)), ("single", single)):
            predicted = np.sum([w * one[unseen] for w, one in zip(weights, each, strict=True)], axis=0)
            errors[name].append(1 - scorer.on_parts([unseen])([predicted]))
    assert np.mean(errors["bags"]) < 0.99 * np.mean(errors["single"])


def test_bags_leave_out_what_does_not_help_and_are_drawn_by_a_seed():
    scorer, (a, b), wrong = ranking(640)
    weights = bagged(scorer, (a, wrong, b))
    assert weights[1] == 0
    assert weights.sum() == pytest.approx(1)
    assert weights.tolist() == bagged(scorer, (a, wrong, b)).tolist()
    assert weights.tolist() != bagged(scorer, (a, wrong, b), seed=1).tolist()


def test_all_bags_together_take_no_more_networks_than_may_be_deployed():
    scorer, (a, b), _ = ranking(640)
    weights = bagged(scorer, (a, b, (a + b) / 2), networks=[20, 20, 4])
    assert np.array([20, 20, 4])[weights > 0].sum() <= MOST_NETWORKS


def test_an_ensemble_comes_before_its_members_though_one_scores_better_on_these_very_rows(tmp_path):
    scorer, (a, b), _ = ranking(640)
    members = [
        trial_of(n, scorer, lambda _, rows, of=of: of[rows], tmp_path / str(n)) for n, of in enumerate((a, b))
    ]
    mixed = Trial(2, tmp_path / "2", "ensemble", "ensemble", members=tuple((one, 0.5) for one in members))
    mixed.score = min(one.score for one in members) - 0.01
    assert is_better(mixed, members[0], scorer)


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
