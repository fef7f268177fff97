"""The rows that a model got most wrong, and what it said of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from composable.problem.problem import Head


def worst_errors(head: Head, observed: np.ndarray, predicted: np.ndarray, *, most: int) -> np.ndarray:
    """The rows with the greatest errors, the greatest first; of classes the most confident ones.

    Args:
        head: The question.
        observed: (rows, width), see `composable.problem.targets`.
        predicted: (rows, width) answers.
        most: So many rows at most.
    """
    if head.kind in ("regression", "multilabel"):
        errors = np.abs(predicted - observed).max(axis=1)
        return np.argsort(-errors, kind="stable")[:most]
    each, codes = chances(head, predicted), observed[:, 0].astype(int)
    wrong = np.flatnonzero(each.argmax(axis=1) != codes)
    return wrong[np.argsort(-each[wrong].max(axis=1), kind="stable")][:most]


def least_certain(head: Head, observed: np.ndarray, predicted: np.ndarray, *, most: int) -> np.ndarray:
    """The rows that are right by the least, the closest first; none of numbers or of several labels.

    Args:
        head: The question.
        observed: (rows, width), see `composable.problem.targets`.
        predicted: (rows, width) answers.
        most: So many rows at most.
    """
    if head.kind in ("regression", "multilabel"):
        return np.zeros(0, int)
    each = chances(head, predicted)
    right = np.flatnonzero(each.argmax(axis=1) == observed[:, 0].astype(int))
    return right[np.argsort(each[right].max(axis=1), kind="stable")][:most]


def said_of(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """What one row is and what was said of it: `observed`, `predicted` and for classes `probability`."""
    if head.kind == "regression":
        return {"observed": float(observed[0]), "predicted": float(predicted[0])}
    if head.kind == "multilabel":
        worst = int(np.abs(predicted - observed).argmax())
        label, chance = head.targets[worst], float(predicted[worst])
        words = {True: f"{label}: yes", False: f"{label}: no"}
        return {
            "observed": words[bool(observed[worst])],
            "predicted": words[chance > 0.5],
            "probability": max(chance, 1 - chance),
        }
    each = chances(head, predicted[None])[0]
    return {
        "observed": str(head.labels[int(observed[0])]),
        "predicted": str(head.labels[int(each.argmax())]),
        "probability": float(each.max()),
    }


def chances(head: Head, predicted: np.ndarray) -> np.ndarray:
    """(rows, classes), or (rows, labels) for several labels."""
    if head.kind == "binary":
        return np.stack([1 - predicted[:, 0], predicted[:, 0]], axis=1)
    return predicted
