"""The expected score isn't flattered by what was chosen, and counts what averaging brings."""

from __future__ import annotations

import numpy as np
import pytest

from composable.data.split import Fold, Split
from composable.engine.history import Epoch, History
from composable.engine.settings import Settings
from composable.problem.kinds import kind_of
from composable.problem.problem import Head, Problem
from composable.search.expected import expected_score
from composable.search.scorer import Scorer
from composable.search.trial import Trial, conclude
from composable.training.candidate import Candidate, Trained
from composable.zoo.mlp import linear

FOLDS, UNSEEN = 4, 400


def split_of(rows: int) -> Split:
    unseen = np.arange(rows - UNSEEN, rows)
    parts = [np.arange(rows - UNSEEN)[number::FOLDS] for number in range(FOLDS)]
    folds = tuple(
        Fold(np.concatenate([p for p in parts if p is not held_out]), held_out, unseen) for held_out in parts
    )
    return Split("folds", folds, FOLDS, "")


def trial_of(number, scorer, logits_of, tmp_path, curve_of=lambda fold: ()):
    """A trial whose network of a fold predicts `logits_of(fold, rows)` and measured `curve_of(fold)`."""
    head = scorer.problem.heads[0]
    candidate = Candidate(f"c{number}", linear(tasks=(kind_of(head).task(head),)), Settings())
    trial = Trial(number, tmp_path / str(number), f"c{number}", "network", candidate=candidate)
    for fold, part in enumerate(scorer.split.folds):
        steps = (kind_of(head).fit_postprocessing(scorer.targets[0][part.train]),)
        outputs = [[logits_of(fold, rows)] for rows in (part.held_out, part.test)]
        epochs = tuple(Epoch(number, 1.0, measure, 0.1) for number, measure in enumerate(curve_of(fold)))
        history = History(epochs, 0, "epochs")
        trial.trained.append(Trained(fold, [], steps, history, 1.0, *outputs, []))
    conclude(trial, scorer, 0)
    return trial


@pytest.fixture
def coin():
    """Two classes that nothing tells apart."""
    y = np.random.default_rng(0).integers(0, 2, (1200 + UNSEEN, 1)).astype(float)
    problem = Problem((Head("y", "binary", ("y",), (0, 1)),), "accuracy")
    return Scorer(problem, split_of(len(y)), (y,))


def test_the_best_of_many_guesses_is_expected_to_guess(coin, tmp_path):
    flattered, expected, held = [], [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)

        def guess(_, rows, rng=rng):
            return rng.normal(size=(len(rows), 1))

        guesses = [trial_of(number, coin, guess, tmp_path / str(seed)) for number in range(20)]
        best = max(guesses, key=lambda trial: trial.score)
        found = expected_score(coin, guesses, best, seed=0)
        assert found is not None
        flattered.append(best.score)
        expected.append(found.value)
        held.append(found.low < 0.5 < found.high)
    assert np.mean(flattered) > 0.52
    assert np.mean(expected) == pytest.approx(0.5, abs=0.015)
    assert sum(held) >= 4


def test_an_average_is_expected_to_be_better_than_its_networks(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.normal(size=(1200 + UNSEEN, 1))
    problem = Problem((Head("y", "regression", ("y",)),), "rmse")
    scorer = Scorer(problem, split_of(len(y)), (y,))
    trial = trial_of(
        0, scorer, lambda _, rows: y[rows] + rng.normal(size=(len(rows), 1)), tmp_path
    )  # errors of the networks that have nothing in common

    found = expected_score(scorer, [trial], trial, seed=0)
    assert found is not None
    assert trial.score == pytest.approx(1.0, rel=0.15)
    assert found.value == pytest.approx(trial.score / np.sqrt(FOLDS), rel=0.2)
    assert found.low < found.value < found.high


def test_the_best_of_many_epochs_is_not_taken_at_its_word(tmp_path):
    """Curves of noise alone: no epoch is better than another, so that the mean of all is to be expected."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(1200 + UNSEEN, 1))
    scorer = Scorer(Problem((Head("y", "regression", ("y",)),), "mae"), split_of(len(y)), (y,))
    curves = 1.0 + 0.1 * rng.normal(size=(FOLDS, 60))

    def expected_with(curve_of):
        trial = trial_of(0, scorer, lambda _, rows: np.zeros((len(rows), 1)), tmp_path, curve_of)
        found = expected_score(scorer, [trial], trial, seed=0)
        assert found is not None
        return found

    before, after = expected_with(lambda _: ()), expected_with(lambda fold: curves[fold])
    flattered = curves.mean() / curves.mean(axis=0).min()
    assert flattered > 1.08
    assert after.value / before.value == pytest.approx(flattered, rel=0.05)
    assert after.high / before.high == pytest.approx(after.value / before.value, rel=0.01)
