"""Convolutions whose gradients are matrix products and plain convolutions: what XLA is fast in on the CPU.

What `jax.grad` makes of a convolution has swapped, dilated or flipped axes. Within `lax.scan`, XLA:CPU
computes such a one element by element, a hundred times slower than a plain one. It is as slow in transposed
convolutions: here they are plain ones to several positions at once.

Depthwise convolution and pooling share where windows lie, and sums that are computed once: such values are
written to memory by `materialized`, instead of anew within each loop that reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from keras import layers, ops

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


FULL_WIDTH = 32  # channels: narrower products waste more of the processor than multiplying with zeros does
IN_CACHE = 2**21  # bytes of patches at once: they are written and read again before they leave the cache


def convolve(x: Any, kernel: Any, *, strides: Sizes, padding: str, dilation: Sizes) -> Any:
    """Convolution over the axes between the first and the last.

    Args:
        x: (rows, *sizes, channels).
        kernel: (*sizes, channels / groups, filters).
        strides: One per axis.
        padding: "same" or "valid", as Keras means them.
        dilation: One per axis; where it isn't 1, the stride is.

    Returns:
        (rows, *sizes, filters).
    """
    spans = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape, strict=False))
    pads = same_padding(x.shape[1:-1], spans, strides) if padding == "same" else ((0, 0),) * len(spans)
    if max(spans) == 1:  # a matrix product at the positions that the strides meet
        x = x[(slice(None), *(slice(None, None, stride) for stride in strides))]
        strides = spans
    groups = x.shape[-1] // kernel.shape[-2]
    if groups == 1:
        return _convolved(x, kernel, strides, pads, dilation)
    x_parts, kernel_parts = _wide_groups(x, kernel, groups)
    pairs = zip(x_parts, kernel_parts, strict=True)
    return jnp.concatenate([_convolved(part, own, strides, pads, dilation) for part, own in pairs], -1)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolved(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilation: Sizes) -> Any:
    spatial = "DHW"[3 - len(pads) :]
    axes = (f"N{spatial}C", f"{spatial}IO", f"N{spatial}C")
    return lax.conv_general_dilated(x, kernel, strides, pads, rhs_dilation=dilation, dimension_numbers=axes)


def _forward(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilation: Sizes) -> Any:
    return _convolved(x, kernel, strides, pads, dilation), (x, kernel)


def _backward(strides: Sizes, pads: Pads, dilation: Sizes, kept: Any, slope: Any) -> Any:
    x, kernel = kept
    to_kernel = _to_kernel(jnp.pad(x, ((0, 0), *pads, (0, 0))), slope, kernel.shape, strides, dilation)
    if max(strides) == 1:
        spans = [d * (k - 1) for d, k in zip(dilation, kernel.shape, strict=False)]
        around = tuple((span - a, span - b) for span, (a, b) in zip(spans, pads, strict=True))
        turned = jnp.swapaxes(jnp.flip(kernel, tuple(range(len(pads)))), -1, -2)
        return _convolved(slope, turned, strides, around, dilation), to_kernel
    to_x = to_strided_input(slope, kernel, strides)
    for axis, (before, _) in enumerate(pads, 1):
        wanted, there = x.shape[axis], to_x.shape[axis] - before
        to_x = lax.slice_in_dim(to_x, before, before + min(wanted, there), axis=axis)
        to_x = padded_after(to_x, axis, max(0, wanted - there))  # what no window reached
    return to_x, to_kernel


_convolved.defvjp(_forward, _backward)


def to_strided_input(slope: Any, kernel: Any, strides: Sizes) -> Any:
    """The slope to the padded input, as far as the windows reach: the kernel turned around, over the slope.

    The s positions between two steps of a stride s are channels at first, so that the convolution itself has
    none (Shi et al. 2016, arXiv:1609.05158: sub-pixel convolution). The kernel gets zeros up to whole steps;
    positions that it never reaches are left out until the end.

    Args:
        slope: (rows, *sizes, filters).
        kernel: (*sizes, channels, filters).
        strides: One per axis.

    Returns:
        (rows, *sizes, channels); along each axis at least (size - 1) stride + kernel positions.
    """
    count = len(strides)
    axes = range(count)
    reached = [min(s, k) for s, k in zip(strides, kernel.shape, strict=False)]
    steps = [-(-k // s) for s, k in zip(strides, kernel.shape, strict=False)]
    for axis in axes:
        kernel = padded_after(kernel, axis, steps[axis] * reached[axis] - kernel.shape[axis])
    channels, filters = kernel.shape[-2:]
    kernel = kernel.reshape(
        *(n for pair in zip(steps, reached, strict=True) for n in pair), channels, filters
    )
    kernel = kernel.transpose(*range(0, 2 * count, 2), 2 * count + 1, *range(1, 2 * count, 2), 2 * count)
    turned = jnp.flip(kernel, tuple(axes)).reshape(*steps, filters, prod(reached) * channels)
    ones = (1,) * count
    found: Any = _convolved(slope, turned, ones, tuple((n - 1, n - 1) for n in steps), ones)
    blocks = found.shape[1:-1]
    found = found.reshape(found.shape[0], *blocks, *reached, channels)
    for axis in axes:
        found = padded_after(found, 1 + count + axis, strides[axis] - reached[axis])
    found = found.transpose(
        0, *(position for axis in axes for position in (1 + axis, 1 + count + axis)), 2 * count + 1
    )
    return found.reshape(found.shape[0], *(b * s for b, s in zip(blocks, strides, strict=True)), channels)


def _to_kernel(padded: Any, slope: Any, shape: Sizes, strides: Sizes, dilation: Sizes) -> Any:
    """The slope to the kernel: what its elements met, as a matrix, times the slope; a few rows at a time."""
    *sizes, channels, filters = shape
    outputs = slope.shape[1:-1]
    offsets = [
        tuple(i * d for i, d in zip(each, dilation, strict=True)) for each in product(*map(range, sizes))
    ]

    def add(total: Any, part: Any) -> tuple[Any, None]:
        inputs, slopes = part
        met = jnp.concatenate([tap_slices(inputs, at, outputs, strides) for at in offsets], -1)
        met, slopes = met.reshape(-1, width), slopes.reshape(-1, filters)
        return total + (slopes.T @ met if turned else met.T @ slopes), None

    width = len(offsets) * channels
    # A product is fast along the rows of its left factor, so the narrower one is turned.
    turned = filters < width
    bytes_per_row = prod(outputs) * width * padded.dtype.itemsize
    at_once = rows_at_once(slope.shape[0], bytes_per_row, IN_CACHE)
    parts = [each.reshape(-1, at_once, *each.shape[1:]) for each in (padded, slope)]
    exact = jnp.promote_types(padded.dtype, "float32")
    start = jnp.zeros((filters, width) if turned else (width, filters), exact)
    total, _ = lax.scan(add, start, tuple(parts))
    return (total.T if turned else total).reshape(shape).astype(padded.dtype)


def rows_at_once(rows: int, bytes_per_row: int, at_most: int) -> int:
    """The largest divisor of the rows that takes at most so many bytes, or 1."""
    return max(n for n in range(1, rows + 1) if rows % n == 0 and (n == 1 or n * bytes_per_row <= at_most))


def _wide_groups(x: Any, kernel: Any, groups: int) -> tuple[list[Any], list[Any]]:
    """What each group takes, and its kernel; narrow groups are joined, with zeros in the kernel between."""
    width, filters = kernel.shape[-2], kernel.shape[-1] // groups
    fitting = [n for n in range(1, groups + 1) if groups % n == 0 and n * width <= FULL_WIDTH]
    together = max(fitting, default=1)
    apart = kernel.reshape(*kernel.shape[:-1], groups // together, together, filters)
    joined = jnp.einsum("...igtf,ts->...sigtf", apart, jnp.eye(together, dtype=kernel.dtype))
    joined = joined.reshape(*kernel.shape[:-2], together * width, kernel.shape[-1])
    return jnp.split(x, groups // together, -1), jnp.split(joined, groups // together, -1)


class _Replacement:
    """Keras's convolution, computed by `convolve`."""

    strides: Sizes
    padding: str
    dilation_rate: Sizes

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Keras's hook for another algorithm."""
        padding, dilation = self.padding, self.dilation_rate
        kernel = jnp.asarray(kernel)
        inputs = jnp.asarray(inputs, kernel.dtype)
        if padding == "causal":
            before = dilation[0] * (kernel.shape[0] - 1)
            inputs, padding = jnp.pad(inputs, ((0, 0), (before, 0), (0, 0))), "valid"
        return convolve(inputs, kernel, strides=self.strides, padding=padding, dilation=dilation)


class Conv1D(_Replacement, layers.Conv1D):
    """Over sequences."""


class Conv2D(_Replacement, layers.Conv2D):
    """Over images."""


class Conv3D(_Replacement, layers.Conv3D):
    """Over volumes."""


def _transpose_convolve(x: Any, kernel: Any, *, strides: Sizes, padding: str) -> Any:
    """The transpose of a convolution, as TensorFlow pads it.

    Args:
        x: (rows, *sizes, channels).
        kernel: (*sizes, filters, channels).
        strides: One per axis.
        padding: "same": sizes times strides; "valid": whatever the kernel reaches.

    Returns:
        (rows, *sizes, filters).
    """
    found = to_strided_input(x, kernel, strides)
    for axis, (size, stride) in enumerate(zip(x.shape[1:-1], strides, strict=True), 1):
        beyond = max(kernel.shape[axis - 1] - stride, 0)
        before, wanted = (beyond // 2, size * stride) if padding == "same" else (0, size * stride + beyond)
        found = lax.slice_in_dim(found, before, min(before + wanted, found.shape[axis]), axis=axis)
        found = padded_after(found, axis, wanted - found.shape[axis])
    return found


class _TransposedReplacement:
    """Keras's transposed convolution, computed by `_transpose_convolve`."""

    kernel: Any
    bias: Any
    strides: Sizes
    padding: str
    activation: Any

    def call(self, inputs: Any) -> Any:
        """Keras's, but for the convolution."""
        kernel = jnp.asarray(ops.convert_to_tensor(self.kernel))
        x = jnp.asarray(inputs, kernel.dtype)
        outputs = _transpose_convolve(x, kernel, strides=self.strides, padding=self.padding)
        if self.bias is not None:
            outputs = outputs + jnp.asarray(ops.convert_to_tensor(self.bias), outputs.dtype)
        return outputs if self.activation is None else self.activation(outputs)


class Conv1DTranspose(_TransposedReplacement, layers.Conv1DTranspose):
    """Over sequences."""


class Conv2DTranspose(_TransposedReplacement, layers.Conv2DTranspose):
    """Over images."""


class Conv3DTranspose(_TransposedReplacement, layers.Conv3DTranspose):
    """Over volumes."""
