"""Where the windows of convolutions and pooling lie."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def same_padding(sizes: Sizes, spans: Sizes, strides: Sizes) -> Pads:
    """How much "same" adds before and after each axis: ceil(size / stride) windows, the odd one after."""
    missing = [
        max((-(-size // stride) - 1) * stride + span - size, 0)
        for size, span, stride in zip(sizes, spans, strides, strict=True)
    ]
    return tuple((each // 2, each - each // 2) for each in missing)


def tap_slices(x: Any, offsets: Sizes, outputs: Sizes, strides: Sizes) -> Any:
    """The values at the position `offsets` of each window: (rows, *outputs, channels)."""
    ends = [first + (o - 1) * s + 1 for first, o, s in zip(offsets, outputs, strides, strict=True)]
    return lax.slice(x, (0, *offsets, 0), (x.shape[0], *ends, x.shape[-1]), (1, *strides, 1))


def padded_after(x: Any, axis: int, count: int) -> Any:
    """So many zeros behind the last position of an axis."""
    return jnp.pad(x, [(0, count if other == axis else 0) for other in range(x.ndim)]) if count else x
