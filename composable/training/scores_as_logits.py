"""Scores of a model that isn't trained by its likelihood, made logits: multiplied by the factor that fits."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing, postprocess
from composable.problem.problem import Head
from composable.problem.scores import has_target, score

_LARGEST = 20.0


def as_scores(head: Head, y: np.ndarray) -> np.ndarray:
    """Targets as the scores that are to be approximated, (rows, width): classes are 1 and -1, gaps NaN."""
    if not head.labels:
        return y
    return 2.0 * kind_of(head).indicators(head, y).astype("float32") - 1.0


def rows_of_scores(wanted: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Which scores the same rows have, of (rows, scores) with NaN: numbers of scores, and of those rows."""
    known = ~np.isnan(wanted)
    if known.all():
        return [(np.arange(wanted.shape[1]), np.arange(len(wanted)))]
    patterns, of_score = np.unique(known, axis=1, return_inverse=True)
    return [
        (np.flatnonzero(of_score.ravel() == number), np.flatnonzero(rows))
        for number, rows in enumerate(patterns.T)
    ]


def factor_of(head: Head, scores: np.ndarray, observed: np.ndarray) -> float:
    """Which makes logits of scores (rows, width): that with the lowest log loss; 1 if no row has a target."""
    if not has_target(observed).any():
        return 1.0
    found = minimize_scalar(
        lambda log: loss_of(head, "", np.exp(log) * scores, observed),
        bounds=(-np.log(_LARGEST), np.log(_LARGEST)),
        method="bounded",
        options={"maxiter": 20},
    )
    return float(np.exp(found.x))


def loss_of(head: Head, metric: str, logits: np.ndarray, observed: np.ndarray) -> float:
    """Log loss of classes; of standardized numbers the mean absolute or square error, by the metric.

    Of the rows that have a target; 0 where none has.
    """
    known = has_target(observed)
    if not known.any():
        return 0.0
    if head.labels:
        return score(
            "log_loss", head, observed, postprocess(np, PostProcessing(kind_of(head).activation), logits)
        )
    away = np.abs(logits - observed)[known]
    return float(np.mean(away if metric == "mae" else away**2))
