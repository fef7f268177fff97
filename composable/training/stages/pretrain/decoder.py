"""From an encoding back to an image."""

from __future__ import annotations

import math
from typing import Any

from keras import layers

_SIDE = 4  # pixels, of the map that a vector is made


def image_decoder(x: Any, *, shape: tuple[int, int, int], width: int) -> Any:
    """Doubled by upsampling, each time followed by a 3x3 convolution, until it is as large as the image.

    Args:
        x: Feature maps (rows, height, width, channels); the tokens of patches (rows, tokens, channels), which
            are put back at their positions, a class token left out; or vectors (rows, channels).
        shape: Height, width and channels of the image.
        width: Channels of each convolution.

    Returns:
        (rows, height, width, channels) numbers, without an activation.
    """
    x = _as_map(x, width)
    height, breadth, channels = shape
    while x.shape[1] < height or x.shape[2] < breadth:
        x = layers.UpSampling2D()(x)
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    x = layers.Cropping2D((_halves(x.shape[1] - height), _halves(x.shape[2] - breadth)))(x)
    return layers.Conv2D(channels, 3, padding="same")(x)


def _as_map(x: Any, width: int) -> Any:
    if len(x.shape) == 4:
        return x
    if len(x.shape) == 3:
        tokens, side = int(x.shape[1]), math.isqrt(int(x.shape[1]))
        if tokens - side * side in (0, 1):
            x = layers.Cropping1D((tokens - side * side, 0))(x)
            return layers.Reshape((side, side, int(x.shape[2])))(x)
        x = layers.Flatten()(x)
    return layers.Reshape((_SIDE, _SIDE, width))(layers.Dense(_SIDE * _SIDE * width, activation="relu")(x))


def _halves(surplus: int) -> tuple[int, int]:
    return surplus // 2, surplus - surplus // 2
