"""The loss of each row, for comparing what two models answer to the same or to similar rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composable.problem.constant_predictor import constant_predictor
from composable.problem.kinds import kind_of
from composable.problem.problem import Problem

_SMALLEST = 1e-7  # of a mean loss


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
        found.append(max(float(np.nanmean(kind_of(head).row_losses(y, answers))), _SMALLEST))
    return found
