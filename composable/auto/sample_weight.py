"""Sample weights: how much each row counts, checked before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from composable.core.errors import DataError


def checked_weights(given: Any, rows: int) -> np.ndarray:
    """A weight per row of the data, shape (rows,), float64; ones where none are given.

    Raises:
        DataError: If their number is wrong, one is negative or not finite (with its index), or all are zero.
    """
    if given is None:
        return np.ones(rows)
    try:
        weights = np.asarray(given, "float64").reshape(-1)
    except (ValueError, TypeError) as odd:
        raise DataError("Sample weights must be numbers.", received=str(odd)) from odd
    if len(weights) != rows:
        raise DataError(
            "There must be one sample weight per row.", received=f"{len(weights)} weights for {rows} rows"
        )
    bad = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(bad):
        raise DataError(
            "Sample weights must be finite and not negative.", received=f"index {bad[0]}: {weights[bad[0]]}"
        )
    if not weights.any():
        raise DataError("Sample weights must not all be zero.", received=f"{rows} zeros")
    return weights
