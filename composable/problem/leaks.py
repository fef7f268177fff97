"""Columns that give the target away, found before anything is trained.

Each feature alone is tested as a predictor of the target: by its order (a copy, a monotone transform, the
target with some noise), by the mean of the target per category, measured on other rows (an id or name that
maps to the label), and by whether it is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from composable.core.errors import DataError
from composable.data.encoding import Encoding
from composable.data.schema import Notice
from composable.problem.kinds import kind_of
from composable.problem.problem import Problem

BLOCKED, SUSPICIOUS = 0.999, 0.98
_MOST_ROWS = 20_000
_FOLDS = 5
_LEAST_ROWS = 40  # on fewer rows a perfect order happens by chance
_MOST_CODES = 64  # a number with more values is cut into so many ranges where it has to separate many classes


@dataclass(frozen=True)
class Leak:
    """How well one column alone predicts a target: AUC for classes, R^2 for numbers."""

    column: str
    target: str
    score: float
    how: str


def check_leaks(
    encoding: Encoding,
    problem: Problem,
    inputs: Mapping[str, np.ndarray],
    targets: tuple[np.ndarray, ...],
    rows: np.ndarray,
    *,
    allow: bool,
) -> Iterator[Notice]:
    """Warn of columns that predict the target almost perfectly.

    Raises:
        DataError: If one does so at `BLOCKED` or above and `allow` is false.
    """
    rows = rows[:: max(1, len(rows) // _MOST_ROWS)]
    if len(rows) < _LEAST_ROWS:
        return
    found = [leak for leak in _leaks(encoding, problem, inputs, targets, rows) if leak.score >= SUSPICIOUS]
    for leak in sorted(found, key=lambda leak: -leak.score):
        measure = f"{leak.how} tells {leak.target!r} with a score of {leak.score:.4f}"
        if leak.score >= BLOCKED and not allow:
            raise DataError(
                "No column may give the target away: at prediction time it would probably not be known.",
                received=f"{leak.column!r}: {measure}",
                remedy=f"--drop {leak.column!r} leaves it out; --allow-leaks trains with it all the same",
            )
        yield Notice(
            f"{leak.column!r} may give the target away: {measure}.",
            "warning",
            leak.column,
            f"--drop {leak.column!r} if it isn't known when predicting",
        )


def _leaks(
    encoding: Encoding,
    problem: Problem,
    inputs: Mapping[str, np.ndarray],
    targets: tuple[np.ndarray, ...],
    rows: np.ndarray,
) -> Iterator[Leak]:
    for head, y in zip(problem.heads, targets, strict=True):
        if y.ndim > 2:  # no single column predicts a map
            continue
        for position, target in enumerate(head.targets):
            known = rows[~np.isnan(y[rows, position])]
            if len(known) >= _LEAST_ROWS:
                questions = kind_of(head).leak_questions(head, y[known, position])
                yield from _leaks_of(target, encoding, inputs, known, questions)


def _leaks_of(
    target: str,
    encoding: Encoding,
    inputs: Mapping[str, np.ndarray],
    rows: np.ndarray,
    questions: list[np.ndarray],
) -> Iterator[Leak]:
    for slot, one in encoding.slots:
        if one.shape != (1,):
            continue
        values = slot.of(inputs)[rows, 0]
        if one.meaning == "amounts":
            yield _strongest(slot.column, target, values.astype("float64"), questions)
        elif one.meaning == "codes":
            scores = [_score(_mean_by_code(values, q), q) for q in questions]
            yield Leak(slot.column, target, min(scores, default=0.0), "its category")


def _strongest(name: str, target: str, values: np.ndarray, questions: list[np.ndarray]) -> Leak:
    missing = np.isnan(values)
    known = ~missing
    by_value = by_absence = 0.0
    if known.sum() >= _LEAST_ROWS and known.mean() > 0.5:
        by_value = _by_value(values[known], [q[known] for q in questions])
    if 0 < missing.mean() < 1:
        by_absence = min((_score(missing.astype(float), q) for q in questions), default=0.0)
    if by_absence > by_value:
        return Leak(name, target, by_absence, "whether it is missing")
    return Leak(name, target, by_value, "its value")


def _by_value(values: np.ndarray, questions: list[np.ndarray]) -> float:
    """By the order of the values; where no order separates all classes, by narrow ranges as if categories."""
    if len(questions) == 1:
        return _score(values, questions[0])
    distinct, codes = np.unique(values, return_inverse=True)
    if len(distinct) > _MOST_CODES:
        codes = np.digitize(values, np.quantile(values, np.linspace(0, 1, _MOST_CODES + 1)[1:-1]))
    return min((_score(_mean_by_code(codes, q), q) for q in questions), default=0.0)


def _score(feature: np.ndarray, y: np.ndarray) -> float:
    """AUC of truth values in either direction; of amounts the squared correlation of values or of ranks."""
    if np.ptp(feature) == 0 or y.min() == y.max():
        return 0.0
    if y.dtype == bool:
        ranks = rankdata(feature)
        count = y.sum()
        auc = (ranks[y].sum() - count * (count + 1) / 2) / (count * (len(y) - count))
        return float(max(auc, 1 - auc))
    linear = np.corrcoef(feature, y)[0, 1] ** 2
    ordered = np.corrcoef(rankdata(feature), rankdata(y))[0, 1] ** 2
    return float(max(linear, ordered))


def _mean_by_code(codes: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The target's mean among rows of the same code in the other folds, shrunk to the overall mean.

    Folds, not leave-one-out: a row left out lowers its own mean, which would give its target away.
    """
    fold = np.random.default_rng(0).permutation(len(codes)) % _FOLDS
    means = np.empty(len(codes))
    for number in range(_FOLDS):
        other = fold != number
        counts = np.bincount(codes[other], minlength=codes.max() + 1)
        sums = np.bincount(codes[other], weights=y[other], minlength=codes.max() + 1)
        means[~other] = ((sums + y.mean()) / (counts + 1.0))[codes[~other]]
    return means
