"""The rows that a model got most wrong, and the right answers that it was least sure of."""

from __future__ import annotations

from typing import Any

import numpy as np

from composable.explain.answers import probabilities
from composable.problem.problem import Head


def worst_errors(head: Head, observed: np.ndarray, predicted: np.ndarray, *, most: int) -> np.ndarray:
    """The rows with the greatest errors, the greatest first; of classes the most confident ones.

    Args:
        head: What is predicted.
        observed: (rows, width), see `composable.problem.targets`.
        predicted: (rows, width) predictions.
        most: So many rows at most.
    """
    if head.kind in ("regression", "multilabel"):
        errors = np.abs(predicted - observed).max(axis=1)
        return np.argsort(-errors, kind="stable")[:most]
    each, codes = probabilities(head, predicted), observed[:, 0].astype(int)
    wrong = np.flatnonzero(each.argmax(axis=1) != codes)
    return wrong[np.argsort(-each[wrong].max(axis=1), kind="stable")][:most]


def least_certain(head: Head, observed: np.ndarray, predicted: np.ndarray, *, most: int) -> np.ndarray:
    """The rows whose right class won by the least, the closest first; none of numbers or several labels.

    Args:
        head: What is predicted.
        observed: (rows, width), see `composable.problem.targets`.
        predicted: (rows, width) predictions.
        most: So many rows at most.
    """
    if head.kind in ("regression", "multilabel"):
        return np.zeros(0, int)
    each = probabilities(head, predicted)
    right = np.flatnonzero(each.argmax(axis=1) == observed[:, 0].astype(int))
    return right[np.argsort(each[right].max(axis=1), kind="stable")][:most]


def outcome(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """What one row is and what was predicted: `observed`, `predicted` and for classes `probability`."""
    if head.kind == "regression":
        return {"observed": float(observed[0]), "predicted": float(predicted[0])}
    if head.kind == "multilabel":
        worst = int(np.abs(predicted - observed).argmax())
        label, probability = head.targets[worst], float(predicted[worst])
        words = {True: f"{label}: yes", False: f"{label}: no"}
        return {
            "observed": words[bool(observed[worst])],
            "predicted": words[probability > 0.5],
            "probability": max(probability, 1 - probability),
        }
    each = probabilities(head, predicted[None])[0]
    return {
        "observed": str(head.labels[int(observed[0])]),
        "predicted": str(head.labels[int(each.argmax())]),
        "probability": float(each.max()),
    }
