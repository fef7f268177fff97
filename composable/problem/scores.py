"""Scores of predictions: of rows, of a head, of a problem by every metric, and the one that selects.

What every model has to beat, and is measured by, is the constant predictor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composable.problem.kinds import ScoredRows, kind_of
from composable.problem.metrics import METRICS, RELATIVE, fitting, metric_named
from composable.problem.problem import Head, Problem

_TINY = 1e-7
Parts = Sequence[np.ndarray]
Weights = np.ndarray | None


def scores(
    problem: Problem,
    observed: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    parts: Parts = (),
    weights: Weights = None,
) -> dict[str, float]:
    """Every metric that fits the problem, the problem's own first among those that aren't in the table.

    Args:
        problem: Its heads define what the arrays mean.
        observed: Per head, as its kind encodes targets; NaN where a row has no target.
        predicted: Per head, numbers or probabilities.
        parts: Which rows were predicted by one model, where several took part; see `score`.
        weights: A weight per row, or None.

    Returns:
        The metric's name to its value; with several heads the means over heads of each metric they share, and
        each head's own as `target/metric`. A value that the rows don't define (one class alone) is NaN.
    """
    own = () if problem.metric in METRICS or problem.metric == RELATIVE else (problem.metric,)
    each = [
        {metric: score(metric, head, y, p, parts, weights) for metric in (*own, *fitting(head.kind))}
        for head, y, p in zip(problem.heads, observed, predicted, strict=True)
    ]
    if len(each) == 1:
        return each[0]
    shared = [metric for metric in each[0] if all(metric in other for other in each)]
    result = {metric: float(np.mean([one[metric] for one in each])) for metric in shared}
    for head, one in zip(problem.heads, each, strict=True):
        result |= {f"{head.name}/{metric}": value for metric, value in one.items()}
    return result


def selection_score(
    problem: Problem,
    observed: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    reference: Sequence[np.ndarray],
    parts: Parts = (),
    weights: Weights = None,
) -> float:
    """The score that selects: the problem's metric, averaged over heads.

    Args:
        problem: Names the metric.
        observed: As in `scores`.
        predicted: As in `scores`.
        reference: The constant predictor's predictions, per head; only heads of different kinds need it.
        parts: As in `scores`.
        weights: As in `scores`.
    """
    if problem.metric != RELATIVE:
        each = zip(problem.heads, observed, predicted, strict=True)
        return float(np.mean([score(problem.metric, head, y, p, parts, weights) for head, y, p in each]))
    ratios = []
    for head, y, p, constant in zip(problem.heads, observed, predicted, reference, strict=True):
        error = kind_of(head).loss_metric
        least = max(score(error, head, y, constant, (), weights), _TINY)
        ratios.append(score(error, head, y, p, (), weights) / least)
    return float(np.mean(ratios))


def score(
    metric: str, head: Head, y: np.ndarray, p: np.ndarray, parts: Parts = (), weights: Weights = None
) -> float:
    """One metric of one head, on the rows that have a target; NaN where they don't define it.

    Args:
        metric: As `metric_named` takes it.
        head: What is predicted.
        y: As `observed` in `scores`.
        p: As `predicted` in `scores`.
        parts: Row numbers by the model that predicted them. Metrics that compare rows with one another (by
            rank) are averaged over the parts, since the answers of different models aren't on one scale.
        weights: As in `scores`.
    """
    known = metric_named(metric)
    if known.ranks and len(parts) > 1:
        each = [(score(metric, head, y[rows], p[rows], (), _at(weights, rows)), rows) for rows in parts]
        defined = [(one, rows) for one, rows in each if not np.isnan(one)]
        if defined:
            counts = has_target(y) if weights is None else has_target(y) * weights
            sizes = [counts[rows].sum() for _, rows in defined]
            return float(np.average([one for one, _ in defined], weights=sizes))
    there = has_target(y)
    if not there.all():
        y, p, weights = y[there], p[there], _at(weights, there)
    if not len(y):
        return float("nan")
    exact = p if p.ndim > 2 else np.asarray(p, "float64")  # of pixels there are too many
    return kind_of(head).score(known, head, ScoredRows(y, exact, weights))


def _at(weights: Weights, rows: np.ndarray) -> Weights:
    return None if weights is None else weights[rows]


def has_target(y: np.ndarray) -> np.ndarray:
    """Which rows have a target, or at least one of several; class numbers of pixels are all there."""
    if y.dtype.kind != "f":
        return np.ones(len(y), bool)
    return np.invert(np.all(np.isnan(y), axis=tuple(range(1, y.ndim))))


def constant_predictor(
    heads: tuple[Head, ...], targets: tuple[np.ndarray, ...], rows: int
) -> list[np.ndarray]:
    """The same prediction for each of `rows` rows: the mean of the targets, or the shares of the classes."""
    each = [kind_of(head).constant_prediction(head, y) for head, y in zip(heads, targets, strict=True)]
    return [np.broadcast_to(one, (rows, *one.shape)) for one in each]


_SMALLEST_LOSS = 1e-7  # of a mean loss


def row_losses(
    problem: Problem, observed: Sequence[np.ndarray], answers: Sequence[np.ndarray], scales: Sequence[float]
) -> np.ndarray:
    """The squared error or the log loss of each row, averaged over the heads.

    Args:
        problem: Its heads define what the arrays mean.
        observed: Per head, as `composable.problem.scores.scores` takes them.
        answers: Per head, post-processed: numbers or probabilities.
        scales: Per head: what a row's loss is divided by, so that heads of different kinds count alike.

    Returns:
        (rows,) losses.
    """
    each = [
        kind_of(head).row_losses(y, p) / scale
        for head, y, p, scale in zip(problem.heads, observed, answers, scales, strict=True)
    ]
    return np.nanmean(each, axis=0)


def constant_losses(problem: Problem, targets: Sequence[np.ndarray]) -> list[float]:
    """Per head the mean loss of the constant predictor: a scale on which heads of different kinds compare."""
    found = []
    for head, y in zip(problem.heads, targets, strict=True):
        (answers,) = constant_predictor((head,), (y,), len(y))
        found.append(max(float(np.nanmean(kind_of(head).row_losses(y, answers))), _SMALLEST_LOSS))
    return found
