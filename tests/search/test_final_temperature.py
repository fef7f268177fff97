"""An average of calibrated networks is underconfident; its final temperature mends that, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from composable.problem.kinds import kind_of
from composable.problem.problem import Head, Problem
from composable.problem.scores import score
from composable.search.expected import expected_score
from composable.search.scorer import Scorer
from tests.search.test_expected import FOLDS, UNSEEN, split_of, trial_of

HEADS = {
    "binary": Head("y", "binary", ("y",), (0, 1)),
    "multiclass": Head("y", "multiclass", ("y",), ("a", "b", "c")),
    "multilabel": Head("y", "multilabel", ("y", "z"), (0, 1)),
    "regression": Head("y", "regression", ("y",)),
}
ROWS = 1200 + UNSEEN


def networks(kind: str, tmp_path, rows: int = ROWS):
    """A trial whose networks are calibrated each, and err in ways that averaging takes away."""
    rng = np.random.default_rng(0)
    head = HEADS[kind]
    signal = rng.normal(size=(rows, kind_of(head).width(head)))
    noise = rng.normal(size=(FOLDS, *signal.shape))
    seen = signal + noise  # the best prediction by one network is half of it
    targets = {
        "binary": (signal > 0) * 1.0,
        "multilabel": (signal > 0) * 1.0,
        "multiclass": signal.argmax(axis=1)[:, None] * 1.0,
        "regression": signal,
    }
    problem = Problem((head,), "log_loss" if head.labels else "rmse")
    scorer = Scorer(problem, split_of(rows), (targets[kind],))
    return scorer, trial_of(0, scorer, lambda fold, some: 1.5 * seen[fold][some], tmp_path)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_an_average_becomes_calibrated_and_keeps_its_order(kind, tmp_path):
    scorer, trial = networks(kind, tmp_path)
    (before,), (after,) = trial.predictions.test, trial.final_predictions.test
    unseen = np.arange(ROWS - UNSEEN, ROWS)
    observed = scorer.targets[0][unseen]
    losses = [score("log_loss", HEADS[kind], observed, p[unseen]) for p in (before, after)]
    assert trial.final_calibrations[0].temperature < 0.9
    assert losses[1] < 0.97 * losses[0]
    axis = -1 if kind == "multiclass" else 0  # of classes that exclude each other, or of rows
    np.testing.assert_array_equal(before[unseen].argsort(axis), after[unseen].argsort(axis))


def test_the_expected_score_counts_it(tmp_path):
    scorer, trial = networks("binary", tmp_path)
    found = expected_score(scorer, [trial], trial, seed=0)
    trial.final_calibrations = ()
    without = expected_score(scorer, [trial], trial, seed=0)
    assert found is not None
    assert without is not None
    assert found.value < 0.97 * without.value


def test_numbers_few_rows_and_named_test_rows_leave_averages_as_they_are(tmp_path):
    _, trial = networks("regression", tmp_path / "numbers")
    assert trial.final_steps == ()
    scorer, trial = networks("binary", tmp_path / "classes")
    few = tuple(replace(fold, test=fold.test[:30]) for fold in scorer.split.folds)
    for split in (replace(scorer.split, folds=few), replace(scorer.split, named_test=True)):
        again = trial_of(
            1, replace(scorer, split=split), lambda fold, some: np.ones((len(some), 1)), tmp_path
        )
        assert again.final_steps == ()
