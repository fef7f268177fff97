"""The loss of each row, for comparing what two models answer to the same or to similar rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composable.problem.baseline import constant_predictor
from composable.problem.problem import Head, Problem

_SMALLEST = 1e-7  # of a probability


def row_losses(
    problem: Problem, observed: Sequence[np.ndarray], answers: Sequence[np.ndarray], scales: Sequence[float]
) -> np.ndarray:
    """The squared error or the log loss of each row, averaged over the heads.

    Args:
        problem: Its heads say what the arrays mean.
        observed: Per head, as `composable.problem.metrics.scores` takes them.
        answers: Per head, post-processed: numbers or probabilities.
        scales: Per head: what a row's loss is divided by, so that heads of different kinds count alike.

    Returns:
        (rows,) losses.
    """
    each = [
        _of_head(head, y, p) / scale
        for head, y, p, scale in zip(problem.heads, observed, answers, scales, strict=True)
    ]
    return np.mean(each, axis=0)


def constant_losses(problem: Problem, targets: Sequence[np.ndarray]) -> list[float]:
    """Per head the mean loss of the constant predictor: a scale on which heads of different kinds compare."""
    found = []
    for head, y in zip(problem.heads, targets, strict=True):
        (answers,) = constant_predictor((head,), (y,), len(y))
        found.append(max(float(_of_head(head, y, answers).mean()), _SMALLEST))
    return found


def _of_head(head: Head, observed: np.ndarray, answers: np.ndarray) -> np.ndarray:
    if head.kind == "regression":
        return ((observed - answers) ** 2).mean(axis=1)
    if head.kind in ("multiclass", "mask"):
        codes = observed[..., None] if head.kind == "mask" else observed
        chosen = np.take_along_axis(answers, codes.astype(int), axis=-1)
        losses = -np.log(np.clip(chosen, _SMALLEST, 1.0))
    else:
        clipped = np.clip(answers, _SMALLEST, 1.0 - _SMALLEST)
        losses = -(observed * np.log(clipped) + (1.0 - observed) * np.log(1.0 - clipped))
    return losses.reshape(len(losses), -1).mean(axis=1)
