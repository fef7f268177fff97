"""What a candidate says about rows it did not learn from, pooled over the rotations, and how that scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from composable.data.split import Rotation, Split
from composable.problem.metrics import RELATIVE, scores, selection_score
from composable.problem.problem import Problem

Arrays = list[np.ndarray]  # one per head


@dataclass(frozen=True, eq=False)
class Opinion:
    """Finished predictions, one array per head with a row for every row of the table (NaN where there is none).

    Attributes:
        validation: From networks that stopped by these rows but did not learn from them.
        test: From networks that never saw these rows.
        own_test: For the rows of the person's own test file; empty lists where there is none.
    """

    validation: Arrays
    test: Arrays
    own_test: Arrays


Said = Callable[[int], tuple[Arrays, Arrays, Arrays]]  # rotation -> predictions for its validation, test, own test rows


def pool(problem: Problem, split: Split, rotations: Sequence[int], rows: int, said: Said) -> Opinion:
    """Lay the predictions of some rotations side by side; rows predicted more than once are averaged."""
    validation, test = _Pool(problem, rows), _Pool(problem, rows)
    own: list[Arrays] = []
    for number in rotations:
        on_validation, on_test, on_own = said(number)
        validation.add(split.rotations[number].validation, on_validation)
        test.add(split.rotations[number].test, on_test)
        if on_own:
            own.append(on_own)
    own_test = [np.mean(parts, axis=0) for parts in zip(*own, strict=True)] if own else []
    return Opinion(validation.means(), test.means(), own_test)


def blend(opinions: Sequence[Opinion], weights: Sequence[float]) -> Opinion:
    """The weighted average of what several candidates say."""

    def mixed(parts: Sequence[Arrays]) -> Arrays:
        return [sum(w * p for w, p in zip(weights, of_head, strict=True)) for of_head in zip(*parts, strict=True)]

    return Opinion(
        mixed([o.validation for o in opinions]),
        mixed([o.test for o in opinions]),
        mixed([o.own_test for o in opinions]),
    )


@dataclass(frozen=True, eq=False)
class Judge:
    """Scores opinions; holds what was really observed.

    Attributes:
        problem: Its metric selects.
        targets: Per head, for every row of the table.
        own_targets: Per head, for the rows of the person's own test file; empty where there is none.
        reference: What knowing nothing says, for heads of different kinds.
    """

    problem: Problem
    targets: Sequence[np.ndarray]
    own_targets: Sequence[np.ndarray] = ()
    reference: Opinion | None = None

    def selection(self, opinion: Opinion, rows: np.ndarray | None = None) -> float:
        """The score on the validation rows (or those of them in `rows`) that selects among candidates."""
        known = covered(opinion.validation)
        rows = np.flatnonzero(known) if rows is None else rows[known[rows]]
        nothing = self.reference.validation if self.reference else opinion.validation
        return selection_score(
            self.problem, _at(self.targets, rows), _at(opinion.validation, rows), _at(nothing, rows)
        )

    def validation(self, opinion: Opinion) -> dict[str, float]:
        """Every metric on the validation rows."""
        return self._scores(opinion, self.targets, opinion.validation, covered(opinion.validation), "validation")

    def test(self, opinion: Opinion) -> dict[str, float]:
        """Every metric on the test rows, empty where there are none."""
        if opinion.own_test:
            everyone = np.ones(len(self.own_targets[0]), bool)
            return self._scores(opinion, self.own_targets, opinion.own_test, everyone, "own_test")
        return self._scores(opinion, self.targets, opinion.test, covered(opinion.test), "test")

    def spread(self, opinion: Opinion, rotations: Sequence[Rotation]) -> float | None:
        """The standard deviation of the selection score over rotations, None for fewer than two."""
        each = [self.selection(opinion, rotation.validation) for rotation in rotations]
        each = [one for one in each if not np.isnan(one)]
        return float(np.std(each, ddof=1)) if len(each) > 1 else None

    def _scores(
        self, opinion: Opinion, observed: Sequence[np.ndarray], predicted: Arrays, known: np.ndarray, part: str
    ) -> dict[str, float]:
        rows = np.flatnonzero(known)
        if not len(rows):
            return {}
        found = scores(self.problem, _at(observed, rows), _at(predicted, rows))
        if self.problem.metric == RELATIVE:
            nothing = getattr(self.reference or opinion, part)
            found[RELATIVE] = selection_score(
                self.problem, _at(observed, rows), _at(predicted, rows), _at(nothing, rows)
            )
        return found


def covered(predictions: Arrays) -> np.ndarray:
    """Which rows have a prediction."""
    return ~np.isnan(predictions[0]).any(axis=1) if predictions else np.zeros(0, bool)


def _at(arrays: Sequence[np.ndarray], rows: np.ndarray) -> Arrays:
    return [array[rows] for array in arrays]


class _Pool:
    def __init__(self, problem: Problem, rows: int) -> None:
        self._sums = [np.zeros((rows, head.width)) for head in problem.heads]
        self._counts = np.zeros((rows, 1))

    def add(self, rows: np.ndarray, predictions: Arrays) -> None:
        if len(rows):
            self._counts[rows] += 1
            for total, predicted in zip(self._sums, predictions, strict=True):
                total[rows] += predicted

    def means(self) -> Arrays:
        with np.errstate(invalid="ignore", divide="ignore"):
            return [total / self._counts for total in self._sums]  # 0/0 = NaN: no prediction


