"""Depthwise convolution as a sum of shifted inputs, each times its weights: XLA:CPU's own is far slower."""

from __future__ import annotations

from functools import partial
from itertools import product
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from keras import layers, ops

from composable.engine.jax_cpu.convolution import (
    Pads,
    Sizes,
    convolve,
    materialized,
    rows_at_once,
    same_padding,
    tap_slices,
)

IN_CACHE = 2**20  # bytes of inputs and slopes at once: they are read anew for every element of the kernel


def depthwise_convolve(x: Any, kernel: Any, *, strides: Sizes, padding: str, dilation: Sizes) -> Any:
    """Convolution of every channel by itself, over the axes between the first and the last.

    Args:
        x: (rows, *sizes, channels).
        kernel: (*sizes, channels, multiplier).
        strides: One per axis.
        padding: "same" or "valid", as Keras means them.
        dilation: One per axis.

    Returns:
        (rows, *sizes, channels x multiplier).
    """
    spans = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape, strict=False))
    pads = same_padding(x.shape[1:-1], spans, strides) if padding == "same" else ((0, 0),) * len(spans)
    if kernel.shape[-1] > 1:
        x = jnp.repeat(x, kernel.shape[-1], -1)
    return _convolved(x, kernel.reshape(*kernel.shape[:-2], -1), strides, pads, dilation)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolved(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilation: Sizes) -> Any:
    return _forward(x, kernel, strides, pads, dilation)[0]


def _forward(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilation: Sizes) -> Any:
    padded = _padded(x, [(before, after, 0) for before, after in pads])
    spans = _spans(kernel, dilation)
    sizes = zip(padded.shape[1:-1], spans, strides, strict=True)
    outputs = tuple((size - span - 1) // stride + 1 for size, span, stride in sizes)
    return _weighted_sum(padded, kernel, outputs, strides, dilation), (padded, kernel)


def _backward(strides: Sizes, pads: Pads, dilation: Sizes, kept: Any, slope: Any) -> Any:
    """To the input: the kernel turned around, over the slopes with zeros for what the strides skipped."""
    padded, kernel = kept
    spans = _spans(kernel, dilation)
    sizes = tuple(n - sum(pad) for n, pad in zip(padded.shape[1:-1], pads, strict=True))
    around = [
        (span - before, size + before - (n - 1) * stride - 1, stride - 1)
        for size, span, stride, (before, _), n in zip(
            sizes, spans, strides, pads, slope.shape[1:-1], strict=True
        )
    ]
    turned = jnp.flip(kernel, tuple(range(len(spans))))
    to_x = _weighted_sum(_padded(slope, around), turned, sizes, (1,) * len(spans), dilation)
    return to_x, _to_kernel(padded, slope, kernel.shape, strides, dilation)


_convolved.defvjp(_forward, _backward)


def _weighted_sum(padded: Any, kernel: Any, outputs: Sizes, strides: Sizes, dilation: Sizes) -> Any:
    def add(padded: Any, kernel: Any) -> Any:
        weights = kernel.reshape(-1, kernel.shape[-1])
        positions = enumerate(_offsets(kernel.shape, dilation))
        return sum(tap_slices(padded, at, outputs, strides) * weights[number] for number, at in positions)

    return materialized(add, padded, kernel)


def _to_kernel(padded: Any, slope: Any, shape: Sizes, strides: Sizes, dilation: Sizes) -> Any:
    """For each element of the kernel, the sum of what it met times the slopes; a few rows at a time."""
    axes = tuple(range(slope.ndim - 1))

    def add(total: Any, part: Any) -> tuple[Any, None]:
        inputs, slopes = part
        met = (tap_slices(inputs, at, slope.shape[1:-1], strides) for at in _offsets(shape, dilation))
        return total + jnp.stack([jnp.sum(each * slopes, axes) for each in met]), None

    bytes_per_row = (prod(padded.shape[1:]) + prod(slope.shape[1:])) * slope.dtype.itemsize
    at_once = rows_at_once(slope.shape[0], bytes_per_row, IN_CACHE)
    parts = tuple(each.reshape(-1, at_once, *each.shape[1:]) for each in (padded, slope))
    exact = jnp.promote_types(slope.dtype, "float32")
    total, _ = lax.scan(add, jnp.zeros((prod(shape[:-1]), shape[-1]), exact), parts)
    return total.reshape(shape).astype(slope.dtype)


def _padded(x: Any, around: list[tuple[int, int, int]]) -> Any:
    padding = [(0, 0, 0), *around, (0, 0, 0)]
    return materialized(lambda x: lax.pad(x, jnp.zeros((), x.dtype), padding), x)


def _spans(kernel: Any, dilation: Sizes) -> Sizes:
    return tuple(d * (k - 1) for d, k in zip(dilation, kernel.shape, strict=False))


def _offsets(shape: Sizes, dilation: Sizes) -> list[Sizes]:
    positions = product(*map(range, shape[:-1]))
    return [tuple(position * d for position, d in zip(each, dilation, strict=True)) for each in positions]


class _Depthwise:
    """Keras's depthwise convolution, computed by `depthwise_convolve`."""

    kernel: Any
    bias: Any
    strides: Sizes
    padding: str
    dilation_rate: Sizes
    activation: Any

    def call(self, inputs: Any) -> Any:
        """Keras's, but for the convolution."""
        kernel = jnp.asarray(ops.convert_to_tensor(self.kernel))
        outputs = depthwise_convolve(
            jnp.asarray(inputs, kernel.dtype),
            kernel,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
        )
        return _finished(self, outputs)


class DepthwiseConv1D(_Depthwise, layers.DepthwiseConv1D):
    """Over sequences."""


class DepthwiseConv2D(_Depthwise, layers.DepthwiseConv2D):
    """Over images."""


class _Separable:
    """Keras's separable convolution: depthwise, then a matrix product of the channels."""

    depthwise_kernel: Any
    pointwise_kernel: Any
    bias: Any
    strides: Sizes
    padding: str
    dilation_rate: Sizes
    activation: Any

    def call(self, inputs: Any) -> Any:
        """Keras's, but for the convolutions."""
        kernel = jnp.asarray(ops.convert_to_tensor(self.depthwise_kernel))
        x = jnp.asarray(inputs, kernel.dtype)
        x = depthwise_convolve(
            x, kernel, strides=self.strides, padding=self.padding, dilation=self.dilation_rate
        )
        pointwise = jnp.asarray(ops.convert_to_tensor(self.pointwise_kernel))
        ones = (1,) * len(self.strides)
        return _finished(self, convolve(x, pointwise, strides=ones, padding="valid", dilation=ones))


class SeparableConv1D(_Separable, layers.SeparableConv1D):
    """Over sequences."""


class SeparableConv2D(_Separable, layers.SeparableConv2D):
    """Over images."""


def _finished(layer: Any, outputs: Any) -> Any:
    if layer.bias is not None:
        outputs = outputs + jnp.asarray(ops.convert_to_tensor(layer.bias), outputs.dtype)
    return outputs if layer.activation is None else layer.activation(outputs)
