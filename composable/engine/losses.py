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


def quantile_error(y: Any, logits: Any, smoothing: Any = 0.0, *, level: float = 0.5) -> Any:  # noqa: ARG001
    """As `squared_error`, for a quantile: Koenker & Bassett 1978, "Regression Quantiles"."""
    away: Any = _beside(y, logits) - logits
    return _over_members(ops.maximum(level * away, (level - 1.0) * away))


def binary_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """(rows, labels) targets in [0, 1]; one or several sigmoids. Smoothing moves targets towards a half.

    The mean over the labels that a row has; the others are NaN.
    """
    known, y = of_known_labels(_beside(y, logits))
    y = y * (1.0 - smoothing) + 0.5 * smoothing
    # -y log sigmoid(logits) - (1 - y) log sigmoid(-logits), without overflow.
    positive: Any = ops.relu(logits)
    size: Any = ops.abs(logits)
    return _over_members(known * (positive - logits * y + ops.softplus(-size)))


def of_known_labels(y: Any) -> tuple[Any, Any]:
    """What each label of a row counts, 1 on the mean and 0 where it is NaN; and `y` without NaN."""
    there: Any = ops.logical_not(ops.isnan(y))
    known: Any = ops.cast(there, y.dtype)
    return known / ops.maximum(ops.mean(known, axis=-1, keepdims=True), 1e-6), ops.where(there, y, 0.0)


def categorical_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """(rows, 1) class numbers; (rows, classes) or (rows, members, classes) logits.

    Smoothing moves targets towards all classes alike (Szegedy et al. 2016, section 7).
    """
    classes = int(logits.shape[-1])
    chosen = ops.one_hot(ops.cast(ops.squeeze(y, -1), "int32"), classes)
    chosen = chosen * (1.0 - smoothing) + smoothing / classes
    log_shares: Any = ops.log_softmax(logits, axis=-1)
    return _over_members(-log_shares * _beside(chosen, logits)) * classes


def pixel_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """(rows, height, width) class numbers; (rows, height, width, classes) logits. The mean over pixels."""
    classes = int(logits.shape[-1])
    chosen = ops.one_hot(ops.cast(y, "int32"), classes, dtype="float32")
    chosen = chosen * (1.0 - smoothing) + smoothing / classes
    log_shares: Any = ops.log_softmax(logits, axis=-1)
    return ops.mean(ops.sum(-log_shares * chosen, axis=-1), axis=(1, 2))


def missed_overlap(y: Any, logits: Any) -> Any:
    """One minus the Dice coefficient of probabilities, the mean over classes; as `pixel_cross_entropy`.

    Milletari et al. 2016, "V-Net", arXiv:1606.04797, section 3, without their squares. One pixel is added
    above and below, so that a class that isn't there has the coefficient one.
    """
    chosen: Any = ops.one_hot(ops.cast(y, "int32"), int(logits.shape[-1]), dtype="float32")
    shares: Any = ops.softmax(logits, axis=-1)
    size: Any = ops.sum(chosen, axis=(1, 2))
    predicted: Any = ops.sum(shares, axis=(1, 2))
    both: Any = ops.sum(chosen * shares, axis=(1, 2))
    overlap: Any = ops.mean((2.0 * both + 1.0) / (size + predicted + 1.0), axis=-1)
    return 1.0 - overlap


def mask_loss(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:
    """Cross entropy and missed overlap: the one is smooth, the other doesn't forget small classes."""
    return pixel_cross_entropy(y, logits, smoothing) + missed_overlap(y, logits)


def _beside(y: Any, logits: Any) -> Any:
    y = ops.cast(y, logits.dtype)
    return ops.expand_dims(y, 1) if len(logits.shape) == 3 else y


def _over_members(losses: Any) -> Any:
    return ops.mean(losses, axis=tuple(range(1, len(losses.shape))))
