"""What a candidate says about rows it did not learn from, pooled over the folds, and how that scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from composable.data.split import Split
from composable.problem.metrics import RELATIVE
from composable.problem.problem import Problem
from composable.problem.scores import scores, selection_score

Arrays = list[np.ndarray]  # one per head


@dataclass(frozen=True, eq=False)
class Predictions:
    """Finished predictions: one array per head, a row for every row of the table, NaN where none was made.

    Attributes:
        validation: From networks that stopped by these rows but did not learn from them; empty where nothing
            was said at all.
        test: From networks that never saw these rows.
        own_test: For the rows of the user's own test file; empty where there is none.
    """

    validation: Arrays = field(default_factory=list)
    test: Arrays = field(default_factory=list)
    own_test: Arrays = field(default_factory=list)


# From the number of a fold to the predictions for its validation and test rows and the user's own.
Said = Callable[[int], tuple[Arrays, Arrays, Arrays]]


def pool(problem: Problem, split: Split, folds: Sequence[int], rows: int, said: Said) -> Predictions:
    """Lay the predictions of some folds side by side; rows predicted more than once are averaged."""
    validation, test = _Pool(problem, rows), _Pool(problem, rows)
    own: list[Arrays] = []
    for number in folds:
        on_validation, on_test, on_own = said(number)
        validation.add(split.folds[number].validation, on_validation)
        test.add(split.folds[number].test, on_test)
        if on_own:
            own.append(on_own)
    own_test = [np.mean(parts, axis=0) for parts in zip(*own, strict=True)] if own else []
    return Predictions(validation.means(), test.means(), own_test)


def blend(predictions: Sequence[Predictions], weights: Sequence[float]) -> Predictions:
    """The weighted average of what several candidates say."""

    def mixed(parts: Sequence[Arrays]) -> Arrays:
        heads = zip(*parts, strict=True)
        return [np.sum([w * p for w, p in zip(weights, head, strict=True)], axis=0) for head in heads]

    return Predictions(
        mixed([o.validation for o in predictions]),
        mixed([o.test for o in predictions]),
        mixed([o.own_test for o in predictions]),
    )


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores predictions; holds what was really observed.

    Attributes:
        problem: Its metric selects.
        split: Which rows were predicted together.
        targets: Per head, for every row of the table.
        own_targets: Per head, for the rows of the user's own test file; empty where there is none.
        reference: What the constant predictor says, for heads of different kinds.
    """

    problem: Problem
    split: Split
    targets: Sequence[np.ndarray]
    own_targets: Sequence[np.ndarray] = ()
    reference: Predictions | None = None

    def selection(self, predictions: Predictions) -> float:
        """The score that selects: on the validation rows of the folds that every candidate trains."""
        return self._selection(predictions, self._needed("validation"))

    def spread(self, predictions: Predictions) -> float | None:
        """The standard deviation of the selection score over folds, None for fewer than two."""
        each = [self._selection(predictions, [rows]) for rows in self._needed("validation")]
        each = [one for one in each if not np.isnan(one)]
        return float(np.std(each, ddof=1)) if len(each) > 1 else None

    def validation(self, predictions: Predictions) -> dict[str, float]:
        """Every metric on the same rows as `selection`."""
        return self._scores(self.targets, predictions.validation, "validation", self._needed("validation"))

    def test(self, predictions: Predictions) -> dict[str, float]:
        """Every metric on the test rows of those folds, empty where there are none."""
        if predictions.own_test:
            everything = [np.arange(len(self.own_targets[0]))]
            return self._scores(self.own_targets, predictions.own_test, "own_test", everything)
        return self._scores(self.targets, predictions.test, "test", self._needed("test"))

    def _needed(self, part: str) -> list[np.ndarray]:
        """The rows of each fold that every candidate trains; where folds share their rows, once."""
        found = [getattr(fold, part) for fold in self.split.folds[: self.split.scored_folds]]
        if len(found) > 1 and np.array_equal(found[0], found[1]):
            found = found[:1]
        return [rows for rows in found if len(rows)]

    def _selection(self, predictions: Predictions, rows: Sequence[np.ndarray]) -> float:
        nothing = (self.reference or predictions).validation
        together, parts = _numbered(rows)
        return selection_score(
            self.problem,
            _at(self.targets, together),
            _at(predictions.validation, together),
            _at(nothing, together),
            parts,
        )

    def _scores(
        self, observed: Sequence[np.ndarray], predicted: Arrays, part: str, rows: Sequence[np.ndarray]
    ) -> dict[str, float]:
        if not rows:
            return {}
        together, parts = _numbered(rows)
        observed, answers = _at(observed, together), _at(predicted, together)
        found = scores(self.problem, observed, answers, parts)
        if self.problem.metric == RELATIVE and self.reference is not None:
            nothing = _at(getattr(self.reference, part), together)
            found[RELATIVE] = selection_score(self.problem, observed, answers, nothing, parts)
        return found


def _numbered(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """All rows one after another, and where in that order each part lies."""
    ends = np.cumsum([len(part) for part in rows])
    places = [np.arange(end - len(part), end) for end, part in zip(ends, rows, strict=True)]
    return np.concatenate(rows), places


def covered(predictions: Arrays) -> np.ndarray:
    """Which rows have a prediction."""
    if not predictions:
        return np.zeros(0, bool)
    first = predictions[0].reshape(len(predictions[0]), -1)
    return np.invert(np.any(np.isnan(first), axis=1))


def _at(arrays: Sequence[np.ndarray], rows: np.ndarray) -> Arrays:
    return [array[rows] for array in arrays]


class _Pool:
    """The mean of what was predicted for each row."""

    def __init__(self, problem: Problem, rows: int) -> None:
        self._sums = [np.zeros((rows, head.width)) for head in problem.heads]
        self._counts = np.zeros(rows)

    def add(self, rows: np.ndarray, predictions: Arrays) -> None:
        if not len(rows):
            return
        if not self._counts.any():  # of masks the width alone doesn't say the shape
            self._sums = list(map(_zeros_like, self._sums, predictions))
        self._counts[rows] += 1
        for total, predicted in zip(self._sums, predictions, strict=True):
            total[rows] += predicted

    def means(self) -> Arrays:
        with np.errstate(invalid="ignore", divide="ignore"):  # 0/0 = NaN: no prediction
            return [
                total / self._counts.astype(total.dtype).reshape(-1, *(1,) * (total.ndim - 1))
                for total in self._sums
            ]


def _zeros_like(total: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Zeros for as many rows as `total` has; half as exact where every pixel is an answer."""
    return total if said.ndim == total.ndim else np.zeros((len(total), *said.shape[1:]), "float32")
