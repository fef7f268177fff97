"""Max pooling whose gradient is a comparison: XLA:CPU's own looks for the largest of each window again."""

from __future__ import annotations

from functools import partial
from itertools import product
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from keras import layers

from composable.engine.jax_cpu.convolution import (
    Pads,
    Sizes,
    materialized,
    padded_after,
    same_padding,
    tap_slices,
)


def max_pool(x: Any, *, window: Sizes, strides: Sizes, padding: str) -> Any:
    """The largest in each window.

    Of several that are equally large, the first takes the whole slope, as in XLA.

    Args:
        x: (rows, *sizes, channels).
        window: Its size along every axis.
        strides: One per axis.
        padding: "same" or "valid".

    Returns:
        (rows, *sizes, channels).
    """
    pads = same_padding(x.shape[1:-1], window, strides) if padding == "same" else ((0, 0),) * len(window)
    return _pooled(x, window, strides, pads)


@partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _pooled(x: Any, window: Sizes, strides: Sizes, pads: Pads) -> Any:
    return _largest(x, window, strides, pads)[0]


def _forward(x: Any, window: Sizes, strides: Sizes, pads: Pads) -> Any:
    largest, position = _largest(x, window, strides, pads)
    return largest, (position, x.shape)


def _largest(x: Any, window: Sizes, strides: Sizes, pads: Pads) -> tuple[Any, Any]:
    """The largest value in each window, and the number of its position in the window."""
    padded = jnp.pad(x, ((0, 0), *pads, (0, 0)), constant_values=-jnp.inf)
    sizes = zip(padded.shape[1:-1], window, strides, strict=True)
    outputs = tuple((size - span) // stride + 1 for size, span, stride in sizes)
    positions = product(*map(range, window))
    largest = tap_slices(padded, next(positions), outputs, strides)
    position = jnp.zeros(largest.shape, jnp.uint8 if prod(window) < 256 else jnp.int32)
    for number, offsets in enumerate(positions, 1):
        value = tap_slices(padded, offsets, outputs, strides)
        position = jnp.where(value > largest, jnp.asarray(number, position.dtype), position)
        largest = jnp.maximum(largest, value)
    return largest, position


def _backward(window: Sizes, strides: Sizes, pads: Pads, kept: Any, slope: Any) -> Any:
    """Every position gets the slopes of the windows that chose it."""
    position, shape = kept

    def spread(slope: Any, position: Any) -> Any:
        apart = window == strides
        found = (
            _side_by_side(position, slope, window)
            if apart
            else _overlapping(position, slope, window, strides)
        )
        for axis, ((before, _), wanted) in enumerate(zip(pads, shape[1:-1], strict=True), 1):
            found = lax.slice_in_dim(found, before, min(before + wanted, found.shape[axis]), axis=axis)
            found = padded_after(found, axis, wanted - found.shape[axis])
        return found

    return (materialized(spread, slope, position),)


_pooled.defvjp(_forward, _backward)


def _side_by_side(position: Any, slope: Any, window: Sizes) -> Any:
    """The slopes at the positions that windows side by side chose: (rows, *(outputs x window), channels)."""
    rows, *outputs, channels = slope.shape
    within = tuple(range(2, 2 + 2 * len(window), 2))
    numbers = np.arange(prod(window), dtype=position.dtype).reshape(
        *(n for size in window for n in (1, size)), 1
    )
    chosen = jnp.expand_dims(position, within) == numbers
    spread = jnp.where(chosen, jnp.expand_dims(slope, within), 0)
    return spread.reshape(rows, *(o * size for o, size in zip(outputs, window, strict=True)), channels)


def _overlapping(position: Any, slope: Any, window: Sizes, strides: Sizes) -> Any:
    """The same where windows overlap or leave gaps.

    A position in a window is so many whole strides and a rest: those of one rest meet in the same inputs.
    """
    steps = [-(-span // stride) for span, stride in zip(window, strides, strict=True)]
    blocks = tuple(size + more - 1 for size, more in zip(slope.shape[1:-1], steps, strict=True))
    # Padded once, and sliced: XLA would pad each of the slices within the loop over all values.
    around = ((0, 0), *((more - 1, more - 1) for more in steps), (0, 0))
    position = jnp.pad(position, around, constant_values=prod(window))  # beyond the last position
    slope = jnp.pad(slope, around)
    within = []
    for rest in product(*map(range, strides)):
        total = jnp.zeros((slope.shape[0], *blocks, slope.shape[-1]), slope.dtype)
        for step in product(*map(range, steps)):
            offsets = [s * stride + r for s, stride, r in zip(step, strides, rest, strict=True)]
            if all(offset < span for offset, span in zip(offsets, window, strict=True)):
                starts = (more - 1 - s for s, more in zip(step, steps, strict=True))
                cut = (slice(None), *(slice(a, a + n) for a, n in zip(starts, blocks, strict=True)))
                total = total + jnp.where(position[cut] == _number(offsets, window), slope[cut], 0)
        within.append(total)
    return _interleaved(jnp.stack(within, -2), strides)


def _number(offsets: list[int], window: Sizes) -> int:
    number = 0
    for offset, span in zip(offsets, window, strict=True):
        number = number * span + offset
    return number


def _interleaved(x: Any, strides: Sizes) -> Any:
    """(rows, *blocks, positions of all strides, channels) to (rows, *(blocks x strides), channels)."""
    rows, *blocks, _, channels = x.shape
    count = len(strides)
    x = x.reshape(rows, *blocks, *strides, channels)
    x = x.transpose(
        0, *(position for axis in range(count) for position in (1 + axis, 1 + count + axis)), 1 + 2 * count
    )
    return x.reshape(rows, *(b * s for b, s in zip(blocks, strides, strict=True)), channels)


class _Replacement:
    """Keras's max pooling, computed by `max_pool`."""

    pool_size: Sizes
    strides: Sizes
    padding: str

    def call(self, inputs: Any) -> Any:
        return max_pool(
            jnp.asarray(inputs), window=self.pool_size, strides=self.strides, padding=self.padding
        )


class MaxPooling1D(_Replacement, layers.MaxPooling1D):
    """Over sequences."""


class MaxPooling2D(_Replacement, layers.MaxPooling2D):
    """Over images."""


class MaxPooling3D(_Replacement, layers.MaxPooling3D):
    """Over volumes."""
