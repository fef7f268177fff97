"""Losses per row, from the logits of one head: `(targets, logits, smoothing)`.

With members (TabM) the mean of the members' losses, never the loss of their mean (Gorishniy et al. 2025,
section 3.2).
"""

from __future__ import annotations

from typing import Any

from keras import ops


def squared_error(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:  # noqa: ARG001 (nothing to smooth)
    """(rows, 1) targets; (rows, 1) or (rows, members, 1) outputs."""
    return _over_members(ops.square(logits - _beside(y, logits)))


def absolute_error(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:  # noqa: ARG001 (nothing to smooth)
    """As `squared_error`, for the metric mae."""
    return _over_members(ops.abs(logits - _beside(y, logits)))


def binary_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """(rows, labels) targets in [0, 1]; one or several sigmoids. Smoothing moves targets towards a half."""
    y = _beside(y, logits) * (1.0 - smoothing) + 0.5 * smoothing
    # -y log sigmoid(logits) - (1 - y) log sigmoid(-logits), without overflow.
    positive: Any = ops.relu(logits)
    size: Any = ops.abs(logits)
    return _over_members(positive - logits * y + ops.softplus(-size))


def categorical_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """(rows, 1) class numbers; (rows, classes) or (rows, members, classes) logits.

    Smoothing moves targets towards all classes alike (Szegedy et al. 2016, section 7).
    """
    classes = int(logits.shape[-1])
    chosen = ops.one_hot(ops.cast(ops.squeeze(y, -1), "int32"), classes)
    chosen = chosen * (1.0 - smoothing) + smoothing / classes
    log_shares: Any = ops.log_softmax(logits, axis=-1)
    return _over_members(-log_shares * _beside(chosen, logits)) * classes


def _beside(y: Any, logits: Any) -> Any:
    y = ops.cast(y, logits.dtype)
    return ops.expand_dims(y, 1) if len(logits.shape) == 3 else y


def _over_members(losses: Any) -> Any:
    return ops.mean(losses, axis=tuple(range(1, len(losses.shape))))
