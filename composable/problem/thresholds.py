"""The probability from which a class is predicted, where a metric looks at predicted classes.

At one half, rare classes are hardly ever predicted, although F1 or the balanced accuracy reward them.
Accuracy is best at one half where probabilities are calibrated: on few rows another is best by chance alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from composable.problem.kinds import kind_of
from composable.problem.metrics import METRICS, better
from composable.problem.problem import Head, Problem
from composable.problem.scores import has_target, score

_LEAST_ROWS = 50
_TRIED = 24  # thresholds
_AT_HALF = ("accuracy",)  # metrics that ask for no other threshold


def with_thresholds(
    problem: Problem,
    observed: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    weights: np.ndarray | None = None,
) -> Problem:
    """The problem with the thresholds that are best on these rows; as it is where its metric needs none.

    Args:
        problem: Its metric decides.
        observed: Per head, as its kind encodes targets.
        predicted: Per head, probabilities for rows that were not learned from.
        weights: A weight per row, or None.
    """
    metric = METRICS.get(problem.metric)
    if metric is None or not metric.decides or problem.metric in _AT_HALF:
        return problem
    heads = zip(problem.heads, observed, predicted, strict=True)
    return replace(problem, heads=tuple(_tuned(problem.metric, h, y, p, weights) for h, y, p in heads))


def centered(problem: Problem, predicted: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Probabilities moved so that a threshold of one half predicts what the problem's thresholds do."""
    heads = zip(problem.heads, predicted, strict=True)
    return [_centered(head, p) if head.thresholds else p for head, p in heads]


def _tuned(metric: str, head: Head, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> Head:
    known = has_target(y)
    if kind_of(head).width(head) != len(head.targets) or known.sum() < _LEAST_ROWS:
        return head  # of several classes the most probable one is predicted
    y, p, weights = y[known], p[known], None if weights is None else weights[known]
    thresholds = [0.5] * len(head.targets)
    for target in range(len(thresholds)):
        found, best = 0.5, float("nan")
        tried = np.unique(np.quantile(p[:, target], np.linspace(0.02, 0.98, _TRIED)))
        for threshold in (0.5, *np.clip(tried, 1e-6, 1 - 1e-6)):
            thresholds[target] = float(threshold)
            value = score(metric, replace(head, thresholds=tuple(thresholds)), y, p, (), weights)
            if better(metric, value, best):
                found, best = float(threshold), value
        thresholds[target] = found
    return replace(head, thresholds=tuple(thresholds))


def _centered(head: Head, p: np.ndarray) -> np.ndarray:
    odds = np.array([t / (1.0 - t) for t in head.thresholds])
    return p / (p + (1.0 - p) * odds)
