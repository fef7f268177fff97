"""Sample weights: how much each row counts, checked before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from composable.core.errors import DataError


def checked_weights(given: Any, kept: np.ndarray) -> np.ndarray | None:
    """The weights of the rows that take part, brought to a mean of one.

    Args:
        given: One weight per row of the data, shape (n,); None weighs all rows alike.
        kept: Which rows have a target and take part, shape (n,).

    Raises:
        DataError: If their number is wrong, one is negative or not finite (with its index), or all are zero.
    """
    if given is None:
        return None
    try:
        weights = np.asarray(given, "float64").reshape(-1)
    except (ValueError, TypeError) as odd:
        raise DataError("Sample weights must be numbers.", received=str(odd)) from odd
    if len(weights) != len(kept):
        raise DataError(
            "There must be one sample weight per row.", received=f"{len(weights)} weights for {len(kept)} rows"
        )
    bad = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(bad):
        raise DataError(
            "Sample weights must be finite and not negative.", received=f"index {bad[0]}: {weights[bad[0]]}"
        )
    weights = weights[kept]
    if weights.sum() == 0:
        raise DataError("Sample weights must not all be zero.", received=f"{len(weights)} zeros")
    return (weights / weights.mean()).astype("float32")
