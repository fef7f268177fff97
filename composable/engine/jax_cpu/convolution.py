"""Convolutions whose gradients are plain convolutions too: XLA runs those of the CPU through a matrix product.

What `jax.grad` makes of a convolution has swapped, dilated or flipped axes; within `lax.scan`, XLA:CPU computes
it element by element, a hundred times slower. Here every convolution that is run has stride 1, no groups, and
its channels last.
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from keras import layers

SPATIAL = "DHW"  # as many of them, from the right, as there are
FULL_WIDTH = 32  # channels: narrower products waste more of the processor than multiplying with zeros does


def convolve(x: Any, kernel: Any, *, strides: Any, padding: str, dilation: Any) -> Any:
    """Convolution over the axes between the first and the last.

    Args:
        x: (rows, *sizes, channels).
        kernel: (*sizes, channels / groups, filters).
        strides: One per axis.
        padding: "same" or "valid", as Keras means them.
        dilation: One per axis; 1 where the stride isn't.

    Returns:
        (rows, *sizes, filters).
    """
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape, strict=False)]
    pads = same_padding(x.shape[1:-1], spans, strides) if padding == "same" else ((0, 0),) * len(spans)
    groups = x.shape[-1] // kernel.shape[-2]
    if groups > 1:
        x, kernel, groups = _merged(x, kernel, groups)
    if max(strides) > 1:
        x = jnp.pad(x, ((0, 0), *pads, (0, 0)))
        x, kernel = _folded(x, kernel, strides, groups)
        pads = ((0, 0),) * len(spans)
    if groups == 1:
        return _plain(x, kernel, tuple(pads), tuple(dilation))
    parts = zip(jnp.split(x, groups, -1), jnp.split(kernel, groups, -1), strict=True)
    return jnp.concatenate([_plain(part, own, tuple(pads), tuple(dilation)) for part, own in parts], -1)


def same_padding(sizes: Any, spans: Any, strides: Any) -> tuple[tuple[int, int], ...]:
    """How much "same" adds before and after each axis: ceil(size / stride) windows, the odd one after."""
    missing = [
        max((-(-size // stride) - 1) * stride + span - size, 0)
        for size, span, stride in zip(sizes, spans, strides, strict=True)
    ]
    return tuple((each // 2, each - each // 2) for each in missing)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _plain(x: Any, kernel: Any, pads: Any, dilation: Any) -> Any:
    return lax.conv_general_dilated(
        x, kernel, (1,) * len(pads), pads, rhs_dilation=dilation, dimension_numbers=_axes(x.ndim)
    )


def _plain_forward(x: Any, kernel: Any, pads: Any, dilation: Any) -> Any:
    return _plain(x, kernel, pads, dilation), (x, kernel)


def _plain_backward(pads: Any, dilation: Any, kept: Any, slope: Any) -> Any:
    """To the input: the slope with the kernel turned around. To the kernel: the input with the slope as kernel."""
    x, kernel = kept
    axes = tuple(range(len(pads)))
    spans = [d * (kernel.shape[axis] - 1) for axis, d in enumerate(dilation)]
    around = tuple((span - low, span - high) for span, (low, high) in zip(spans, pads, strict=True))
    turned = jnp.swapaxes(jnp.flip(kernel, axes), -1, -2)
    to_x = _plain(slope, turned, around, dilation)
    # The channels take the place of the rows, over which the sum runs.
    to_kernel = lax.conv_general_dilated(
        jnp.swapaxes(x, 0, -1),
        jnp.moveaxis(slope, 0, -2),
        dilation,
        pads,
        dimension_numbers=_axes(x.ndim),
    )
    return to_x, jnp.moveaxis(to_kernel, 0, -2)


_plain.defvjp(_plain_forward, _plain_backward)


def _axes(rank: int) -> tuple[str, str, str]:
    """The names of the axes of input, kernel and output, as XLA wants them."""
    spatial = SPATIAL[-(rank - 2) :]
    return f"N{spatial}C", f"{spatial}IO", f"N{spatial}C"


def _folded(x: Any, kernel: Any, strides: Any, groups: int) -> tuple[Any, Any]:
    """The same with stride 1: what lies between two steps becomes channels (space to depth).

    The kernel gets zeros up to whole steps; an axis that it doesn't fill even once is only sliced.
    """
    count, axes = len(strides), range(len(strides))
    steps = [-(-kernel.shape[axis] // strides[axis]) for axis in axes]
    kept = [min(strides[axis], kernel.shape[axis]) for axis in axes]
    outputs = [(x.shape[axis + 1] - kernel.shape[axis]) // strides[axis] + 1 for axis in axes]
    blocks = [outputs[axis] + steps[axis] - 1 for axis in axes]
    for axis in axes:
        length = blocks[axis] * strides[axis]
        short = max(0, length - x.shape[axis + 1])
        x = lax.slice_in_dim(x, 0, min(length, x.shape[axis + 1]), axis=axis + 1)
        x = jnp.pad(x, [(0, short if other == axis + 1 else 0) for other in range(x.ndim)])
        missing = steps[axis] * kept[axis] - kernel.shape[axis]
        kernel = jnp.pad(kernel, [(0, missing if other == axis else 0) for other in range(kernel.ndim)])
    halved = [size for pair in zip(blocks, strides, strict=True) for size in pair]
    channels = x.shape[-1] // groups
    x = x.reshape(x.shape[0], *halved, groups, channels)
    x = x[(slice(None), *(each for size in kept for each in (slice(None), slice(size))))]
    between = [2 + 2 * axis for axis in axes]
    x = x.transpose(0, *(1 + 2 * axis for axis in axes), 2 * count + 1, *between, 2 * count + 2)
    x = x.reshape(x.shape[0], *blocks, groups * prod(kept) * channels)
    kernel = kernel.reshape(*(s for pair in zip(steps, kept, strict=True) for s in pair), *kernel.shape[-2:])
    kernel = kernel.transpose(
        *(2 * axis for axis in axes), *(2 * axis + 1 for axis in axes), 2 * count, 2 * count + 1
    )
    return x, kernel.reshape(*steps, prod(kept) * channels, kernel.shape[-1])


def _merged(x: Any, kernel: Any, groups: int) -> tuple[Any, Any, int]:
    """Fewer, wider groups: several become one whose kernel has zeros between them."""
    width, filters = kernel.shape[-2], kernel.shape[-1] // groups
    together = max(n for n in range(1, groups + 1) if groups % n == 0 and (n == 1 or n * width <= FULL_WIDTH))
    if together == 1:
        return x, kernel, groups
    blocks = kernel.reshape(*kernel.shape[:-1], groups // together, together, filters)
    spread = jnp.einsum("...igtf,ts->...sigtf", blocks, jnp.eye(together, dtype=kernel.dtype))
    return x, spread.reshape(*kernel.shape[:-2], together * width, kernel.shape[-1]), groups // together


class _House:
    """Keras's convolution, computed by `convolve`."""

    strides: tuple[int, ...]
    padding: str
    dilation_rate: tuple[int, ...]

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Keras's hook for another algorithm."""
        padding, dilation = self.padding, self.dilation_rate
        if padding == "causal":
            before = dilation[0] * (kernel.shape[0] - 1)
            inputs, padding = jnp.pad(inputs, ((0, 0), (before, 0), (0, 0))), "valid"
        kernel = jnp.asarray(kernel)
        inputs = jnp.asarray(inputs, kernel.dtype)
        return convolve(inputs, kernel, strides=self.strides, padding=padding, dilation=dilation)


class Conv1D(_House, layers.Conv1D):
    """Over sequences."""


class Conv2D(_House, layers.Conv2D):
    """Over images."""


class Conv3D(_House, layers.Conv3D):
    """Over volumes."""
