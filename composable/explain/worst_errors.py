"""The rows that a model got most wrong, and the right answers that it was least sure of."""

from __future__ import annotations

import numpy as np

from composable.problem.kinds import kind_of
from composable.problem.problem import Head


def worst_errors(head: Head, observed: np.ndarray, predicted: np.ndarray, *, most: int) -> np.ndarray:
    """The rows with the greatest errors, the greatest first; of classes the most confident ones.

    Args:
        head: What is predicted.
        observed: (rows, width), see `composable.problem.targets`.
        predicted: (rows, width) predictions.
        most: So many rows at most.
    """
    sizes = kind_of(head).effects.error_sizes(observed, predicted)
    return np.argsort(-sizes, kind="stable")[: min(most, int((sizes > 0).sum()))]


def least_certain(head: Head, observed: np.ndarray, predicted: np.ndarray, *, most: int) -> np.ndarray:
    """The rows whose right class won by the least, the closest first; none of numbers or several labels.

    Args:
        head: What is predicted.
        observed: (rows, width), see `composable.problem.targets`.
        predicted: (rows, width) predictions.
        most: So many rows at most.
    """
    confidence = kind_of(head).effects.right_confidence(observed, predicted)
    return np.argsort(confidence, kind="stable")[: min(most, int((~np.isnan(confidence)).sum()))]
