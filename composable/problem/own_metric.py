"""A metric that a user wrote, called with care."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from composable.core.errors import ConfigError
from composable.problem.metrics import Metric


def own_score(metric: Metric, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> float:
    """The value of the user's function; with `sample_weight`, where there are weights and it takes them.

    Args:
        metric: With a function.
        y: (rows,) numbers, or class numbers in the order of the labels.
        p: (rows,) numbers or probabilities of the second class, or (rows, classes) probabilities.
        weights: A weight per row, or None.

    Raises:
        ConfigError: If it raises something, or what it returns is no number.
    """
    function: Any = metric.function
    more = {"sample_weight": weights} if weights is not None and _takes_weights(function) else {}
    try:
        found = function(y.copy(), p.copy(), **more)
    except Exception as wrong:
        raise ConfigError(
            f"The metric {metric.name!r} must give a number for observed and predicted values.",
            received=f"{type(wrong).__name__}: {wrong}",
            remedy=f"it was called with arrays of shapes {y.shape} and {p.shape}; of classes the first "
            "holds class numbers, the second probabilities",
        ) from wrong
    number = np.asarray(found)
    if number.size != 1 or number.dtype.kind not in "iuf":
        raise ConfigError(
            f"The metric {metric.name!r} must give a number for observed and predicted values.",
            received=f"it returned {found!r}"[:200],
            remedy="return one float",
        )
    return float(number.reshape(()))


def _takes_weights(function: Any) -> bool:
    try:
        return "sample_weight" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C have no signature
        return False
