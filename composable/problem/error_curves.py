"""What charts of errors are drawn from: reliability, ROC curves; small and finite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CURVE = 200  # points of a ROC curve
BINS = 10  # of a reliability diagram

Array = NDArray[Any]


def reliability(chances: Array, happened: Array) -> list[dict[str, float | int]]:
    """Mean prediction and observed frequency in quantile bins of equally many rows, ties kept together."""
    if not chances.size:
        return []
    bins = min(BINS, max(1, chances.size // BINS))
    inner = np.unique(np.quantile(chances, np.linspace(0, 1, bins + 1)[1:-1]))
    of_row = np.searchsorted(inner, chances, side="left")
    return [
        {
            "predicted": float(chances[of_row == number].mean()),
            "observed": float(happened[of_row == number].mean()),
            "rows": int((of_row == number).sum()),
        }
        for number in np.unique(of_row)
    ]


def roc(codes: Array, chances: Array) -> list[list[float]]:
    """False and true positive rates; empty where one class alone was observed: a rate is missing."""
    from sklearn.metrics import roc_curve  # takes long to import, and predictions don't need it

    if np.unique(codes).size < 2:
        return []
    false_positives, true_positives, _ = roc_curve(codes, chances)
    keep = thinned(false_positives.size, CURVE)
    return np.stack([false_positives[keep], true_positives[keep]], axis=1).tolist()


def thinned(size: int, limit: int) -> Array:
    """At most `limit` indices out of `size`, evenly spaced, both ends among them."""
    return np.unique(np.linspace(0, size - 1, min(size, limit)).round().astype(np.int64))
