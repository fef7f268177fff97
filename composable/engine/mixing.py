"""Rows mixed with a partner: mixup and CutMix.

Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization", arXiv:1710.09412; Yun et al. 2019, "CutMix:
Regularization Strategy to Train Strong Classifiers with Localizable Features", arXiv:1905.04899. As rows come
in a random order, a row's partner is the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from composable.core.errors import ConfigError


def mix(inputs: Any, curve: Mapping[str, Any]) -> tuple[Any, Any]:
    """The mixed inputs, and which share of each row is its own: None where the curve doesn't mix."""
    if "share" not in curve:
        return inputs, None
    if "center" not in curve:
        return _blended(inputs, curve["share"]), curve["share"]
    images = keras.tree.flatten(inputs)
    if len(images) != 1 or len(images[0].shape) != 4:
        raise ConfigError(
            "CutMix mixes images, (rows, height, width, channels).",
            received=", ".join(str(tuple(x.shape)) for x in images),
            remedy="use mixup for anything else",
        )
    mixed, share = _cut(images[0], curve["share"], curve["center"])
    return keras.tree.pack_sequence_as(inputs, [mixed]), share


def partners(values: Any) -> Any:
    """For each row the one before it, for the first the last one."""
    return keras.tree.map_structure(lambda x: None if x is None else ops.roll(x, 1, axis=0), values)


def _blended(inputs: Any, share: Any) -> Any:
    """Each row's numbers by `share` its own, the rest its partner's; whole numbers, which are codes, stay."""

    def one(x: Any) -> Any:
        if "float" not in str(x.dtype) and len(x.shape) < 4:  # images of whole numbers are mixed
            return x
        x = ops.cast(x, "float32")
        return share * x + (1.0 - share) * ops.roll(x, 1, axis=0)

    return keras.tree.map_structure(one, inputs)


def _cut(images: Any, share: Any, center: Any) -> tuple[Any, Any]:
    """A box of the partner's image laid over each row's, and the share that is left of its own.

    Args:
        images: (rows, height, width, channels).
        share: Of the area that stays, if the box is wholly within the image.
        center: (2,) of the box, both in [0, 1).
    """
    height, width = int(images.shape[1]), int(images.shape[2])
    side = ops.sqrt(1.0 - share)
    rows: Any = _within(height, center[0], side)
    columns = _within(width, center[1], side)
    box: Any = rows[:, None] * columns[None, :]
    covered = ops.cast(ops.expand_dims(box, -1), "bool")
    replaced: Any = ops.mean(box)
    return ops.where(covered, ops.roll(images, 1, axis=0), images), 1.0 - replaced


def _within(size: int, center: Any, side: Any) -> Any:
    positions = np.arange(size, dtype="float32") / size
    return ops.cast(ops.abs(positions - center) < side / 2, "float32")
