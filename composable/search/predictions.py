"""What a candidate predicts for rows it did not learn from, pooled over the folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from composable.data.split import Split
from composable.problem.problem import Problem
from composable.problem.scores import constant_predictor
from composable.training.candidate import Material

Arrays = list[np.ndarray]  # one per head


@dataclass(frozen=True, eq=False)
class Predictions:
    """Post-processed outputs: one array per head, a row for every row of the table, NaN where there is none.

    Attributes:
        out_of_fold: Of networks that stopped by these rows but did not learn from them; empty where nothing
            was predicted at all.
        test: The average of all networks, for rows that none of them saw.
        own_test: The same for the rows of the user's own test file; empty where there is none.
    """

    out_of_fold: Arrays = field(default_factory=list)
    test: Arrays = field(default_factory=list)
    own_test: Arrays = field(default_factory=list)


# From the number of a fold to the predictions for its held-out and test rows and the user's own test file.
OfFold = Callable[[int], tuple[Arrays, Arrays, Arrays]]


def pool(problem: Problem, split: Split, folds: Sequence[int], rows: int, of_fold: OfFold) -> Predictions:
    """Lay the predictions of some folds side by side; rows predicted more than once are averaged."""
    held_out, test = _Pool(problem, rows), _Pool(problem, rows)
    own: list[Arrays] = []
    for number in folds:
        on_held_out, on_test, on_own = of_fold(number)
        held_out.add(split.folds[number].held_out, on_held_out)
        test.add(split.folds[number].test, on_test)
        if on_own:
            own.append(on_own)
    own_test = [np.mean(parts, axis=0) for parts in zip(*own, strict=True)] if own else []
    return Predictions(held_out.means(), test.means(), own_test)


def constant_predictions(material: Material, split: Split) -> Predictions:
    """Those of the constant predictor, by the targets of the rows that each scored fold learns from."""
    heads, targets = material.problem.heads, material.targets
    own_rows = len(next(iter(material.own_test.values()))) if material.own_test else 0

    def on_fold(number: int) -> tuple[Arrays, Arrays, Arrays]:
        fold = split.folds[number]
        known = tuple(y[fold.train] for y in targets)
        held_out, test = (constant_predictor(heads, known, len(rows)) for rows in (fold.held_out, fold.test))
        return held_out, test, constant_predictor(heads, known, own_rows) if own_rows else []

    return pool(material.problem, split, range(split.scored_folds), len(targets[0]), on_fold)


def blend(predictions: Sequence[Predictions], weights: Sequence[float]) -> Predictions:
    """The weighted average of the predictions of several candidates."""

    def mixed(parts: Sequence[Arrays]) -> Arrays:
        heads = zip(*parts, strict=True)
        return [np.sum([w * p for w, p in zip(weights, head, strict=True)], axis=0) for head in heads]

    return Predictions(
        mixed([p.out_of_fold for p in predictions]),
        mixed([p.test for p in predictions]),
        mixed([p.own_test for p in predictions]),
    )


def by_unlearned(predictions: Predictions) -> Arrays:
    """For each row the prediction of networks that did not learn from it: out of fold, or of all networks."""
    return [
        np.where(np.isnan(out_of_fold), test, out_of_fold)
        for out_of_fold, test in zip(predictions.out_of_fold, predictions.test, strict=True)
    ]


def covered(predictions: Arrays) -> np.ndarray:
    """Which rows have a prediction."""
    if not predictions:
        return np.zeros(0, bool)
    first = predictions[0].reshape(len(predictions[0]), -1)
    return np.invert(np.any(np.isnan(first), axis=1))


class _Pool:
    """The mean of what was predicted for each row."""

    def __init__(self, problem: Problem, rows: int) -> None:
        self._sums = [np.zeros((rows, head.width)) for head in problem.heads]
        self._counts = np.zeros(rows)

    def add(self, rows: np.ndarray, predictions: Arrays) -> None:
        if not len(rows):
            return
        if not self._counts.any():  # the width alone doesn't determine the shape of masks
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


def _zeros_like(total: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Zeros for as many rows as `total` has; half as exact where every pixel is predicted."""
    return total if predicted.ndim == total.ndim else np.zeros((len(total), *predicted.shape[1:]), "float32")
