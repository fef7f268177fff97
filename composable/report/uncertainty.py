"""How sure a score is, given how few rows it was measured on."""

from __future__ import annotations

import math

import numpy as np

_Z = 1.6449  # standard normal deviate of a 90 % interval
_RESAMPLES = 500


def wilson(share: float, rows: float) -> tuple[float, float]:
    """90 % interval of a share of `rows` rows (Wilson 1927)."""
    center = (share + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    half = _Z / (1 + _Z**2 / rows) * math.sqrt(max(0.0, share * (1 - share)) / rows + _Z**2 / (4 * rows**2))
    return max(0.0, center - half), min(1.0, center + half)


def roc_area(area: float, negatives: int, positives: int) -> tuple[float, float] | None:
    """90 % interval of the area under a ROC curve (Hanley & McNeil 1982)."""
    if not negatives or not positives:
        return None
    pairs_one, pairs_two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (positives - 1) * (pairs_one - area**2) + (negatives - 1) * (pairs_two - area**2)
    )
    half = _Z * math.sqrt(max(0.0, variance) / (positives * negatives))
    return max(0.0, area - half), min(1.0, area + half)


def error(metric: str, residuals: np.ndarray) -> tuple[float, float] | None:
    """90 % interval of `rmse` or `mae` from (n,) residuals: the percentile bootstrap (Efron 1979)."""
    if metric not in ("rmse", "mae") or residuals.size < 2:
        return None
    losses = residuals**2 if metric == "rmse" else np.abs(residuals)
    draws = np.random.default_rng(0).integers(0, losses.size, size=(_RESAMPLES, losses.size))
    low, high = np.quantile(losses[draws].mean(axis=1), (0.05, 0.95))
    return (math.sqrt(low), math.sqrt(high)) if metric == "rmse" else (float(low), float(high))
