"""The score of predictions: of out-of-fold ones to choose by, of test rows as a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from composable.data.split import Split
from composable.problem.calibrate import with_thresholds
from composable.problem.metrics import RELATIVE, higher_is_better
from composable.problem.problem import Problem
from composable.problem.scores import scores, selection_score
from composable.search.predictions import Arrays, Predictions

Score = Callable[[Arrays], float]  # of predictions for certain rows


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores predictions; holds what was really observed.

    Attributes:
        problem: Its metric selects.
        split: Which rows were predicted together.
        targets: Per head, for every row of the table.
        own_targets: Per head, for the rows of the user's own test file; empty where there is none.
        constant: The predictions of the constant predictor, which heads of different kinds are measured by.
        weights: A weight per row of the table, or None.
        tunes: Whether predictions are scored at the thresholds that are best for them, where the metric looks
            at predicted classes; else at one half.
    """

    problem: Problem
    split: Split
    targets: Sequence[np.ndarray]
    own_targets: Sequence[np.ndarray] = ()
    constant: Predictions | None = None
    weights: np.ndarray | None = None
    tunes: bool = True

    @property
    def scored_parts(self) -> list[np.ndarray]:
        """The held-out rows of each fold that every candidate trains."""
        return [fold.held_out for fold in self.split.scored if len(fold.held_out)]

    @property
    def higher_is_better(self) -> bool:
        """Whether the best score is the highest."""
        return higher_is_better(self.problem.metric)

    def selection(self, predictions: Predictions) -> float:
        """The score that selects: on the held-out rows of the folds that every candidate trains."""
        parts = self.scored_parts
        return self.on_parts(parts)(_at(predictions.out_of_fold, np.concatenate(parts)))

    def on_parts(self, parts: Sequence[np.ndarray]) -> Score:
        """What scores predictions for the rows of these parts, one part after another.

        Args:
            parts: Row numbers; those of one part were predicted by one model.
        """
        rows, positions = _numbered(parts)
        observed = _at(self.targets, rows)
        constant = None if self.constant is None else _at(self.constant.out_of_fold, rows)

        weights = None if self.weights is None else self.weights[rows]

        def score(predicted: Arrays) -> float:
            problem = self.problem
            if self.tunes:
                problem = with_thresholds(problem, observed, predicted, weights)
            return selection_score(problem, observed, predicted, constant or predicted, positions, weights)

        return score

    def spread(self, predictions: Predictions) -> float | None:
        """The standard deviation of the selection score over folds, None for fewer than two."""
        each = [self.on_parts([rows])(_at(predictions.out_of_fold, rows)) for rows in self.scored_parts]
        each = [one for one in each if not np.isnan(one)]
        return float(np.std(each, ddof=1)) if len(each) > 1 else None

    def validation(self, predictions: Predictions) -> dict[str, float]:
        """Every metric on the same rows as `selection`."""
        return self._scores(
            self.tuned(predictions), self.targets, predictions.out_of_fold, "out_of_fold", self.scored_parts
        )

    def tuned(self, predictions: Predictions) -> Problem:
        """The problem with the thresholds that are best for out-of-fold predictions."""
        rows = np.concatenate(self.scored_parts)
        weights = None if self.weights is None else self.weights[rows]
        observed, predicted = _at(self.targets, rows), _at(predictions.out_of_fold, rows)
        return with_thresholds(self.problem, observed, predicted, weights)

    def test(self, predictions: Predictions) -> dict[str, float]:
        """Every metric on the test rows of the user, or on the latest; empty where there are none."""
        if predictions.own_test:
            everything = [np.arange(len(self.own_targets[0]))]
            problem = self.tuned(predictions)
            return self._scores(problem, self.own_targets, predictions.own_test, "own_test", everything)
        if not self.split.named_test:
            return {}
        rows = [self.split.folds[0].test]
        return self._scores(self.tuned(predictions), self.targets, predictions.test, "test", rows)

    def _scores(
        self,
        problem: Problem,
        observed: Sequence[np.ndarray],
        predicted: Arrays,
        part: str,
        rows: Sequence[np.ndarray],
    ) -> dict[str, float]:
        together, parts = _numbered(rows)
        observed, answers = _at(observed, together), _at(predicted, together)
        weights = None if self.weights is None or part == "own_test" else self.weights[together]
        found = scores(problem, observed, answers, parts, weights)
        if self.problem.metric == RELATIVE and self.constant is not None:
            constant = _at(getattr(self.constant, part), together)
            found[RELATIVE] = selection_score(self.problem, observed, answers, constant, parts, weights)
        return found


def _numbered(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """All rows one after another, and where in that order each part lies."""
    ends = np.cumsum([len(part) for part in rows])
    positions = [np.arange(end - len(part), end) for end, part in zip(ends, rows, strict=True)]
    return np.concatenate(rows), positions


def _at(arrays: Sequence[np.ndarray], rows: np.ndarray) -> Arrays:
    return [array[rows] for array in arrays]
