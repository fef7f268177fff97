"""How far predicted masks cover the true ones, from the pixels of all images together."""

from __future__ import annotations

import numpy as np

CHUNK = 1 << 22  # probabilities that are looked at at once


def confusion(
    observed: np.ndarray, predicted: np.ndarray, classes: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """How many pixels of each class (rows) are taken for each (columns), (classes, classes).

    Args:
        observed: Class numbers, (height, width) or (masks, height, width).
        predicted: Likewise.
        classes: How many there are.
        weights: Of each mask, (masks,); a pixel counts as much as its mask.
    """
    codes = observed.astype(np.int64).ravel() * classes + predicted.astype(np.int64).ravel()
    each = None if weights is None else np.repeat(weights, codes.size // max(1, len(weights)))
    return np.bincount(codes, each, minlength=classes * classes).reshape(classes, classes)


def confusion_of(
    observed: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """The same, from (masks, height, width, classes) of which the most probable class is taken."""
    classes = probabilities.shape[-1]
    found = np.zeros((classes, classes), np.int64 if weights is None else np.float64)
    step = max(1, CHUNK // max(1, probabilities[:1].size))
    for first in range(0, len(observed), step):
        part = slice(first, first + step)
        each = None if weights is None else weights[part]
        found += confusion(observed[part], probabilities[part].argmax(axis=-1), classes, each)
    return found


def overlap(metric: str, matrix: np.ndarray) -> float:
    """One number for a matrix of `confusion`.

    `mean_iou` is the intersection over the union of predicted and true pixels (Jaccard), `dice` twice the
    intersection over their sum (Dice 1945, "Measures of the Amount of Ecologic Association Between
    Species"); both are means over the classes that occur in either. `pixel_accuracy` is the share of pixels
    that are right.
    """
    right, observed, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    if metric == "pixel_accuracy":
        return float(right.sum() / max(1, matrix.sum()))
    occurs = (observed + predicted) > 0
    if not occurs.any():
        return float("nan")
    shares = 2 * right / np.maximum(observed + predicted, 1)  # Dice's, of which the other is a function
    if metric == "mean_iou":
        shares = right / np.maximum(observed + predicted - right, 1)
    return float(shares[occurs].mean())
