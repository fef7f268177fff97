"""What convolutions and pooling are made of here: where their windows lie, and sums that are computed once.

Values are written to memory by `materialized`, instead of anew within each loop that reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]
SENTINEL = 0x7FA55A5A  # the bits of a NaN that no computation gives


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


def materialized(compute: Callable[..., Any], *arrays: Any) -> Any:
    """`compute(*arrays)`, an array of floats, computed once.

    XLA:CPU fuses what is cheap into everything that reads it: a sum of nine shifted inputs is computed anew
    for the mean, the variance and the scaling that follow it, and each time more slowly than by itself.
    XLA drops `optimization_barrier` before it fuses; but what happens on a condition stays by itself. The
    condition is one that always holds, and that XLA can't foresee.
    """
    first = lax.bitcast_convert_type(lax.stop_gradient(arrays[0]).reshape(-1)[0].astype("float32"), "int32")
    shape = jax.eval_shape(compute, *arrays)
    return lax.cond(
        first != SENTINEL, compute, lambda *_: jnp.full(shape.shape, jnp.nan, shape.dtype), *arrays
    )
