"""Images as sequences of patches."""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design.metaparameters import Count
from composable.design.part import component


@component
def patches(x: Any, *, size: Count = 16, width: Count) -> Any:
    """Squares of `size` pixels, row by row, each as `width` weighted sums of its pixels.

    Raises:
        ValueError: If a side isn't a whole number of patches.
    """
    if any(side is None or side % size for side in x.shape[1:3]):
        raise ValueError(f"Sides of {x.shape[1]} and {x.shape[2]} pixels aren't whole numbers of {size}.")
    x = layers.Conv2D(width, size, strides=size)(x)
    return layers.Reshape((-1, width))(x)
