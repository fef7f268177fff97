"""Depthwise convolution: a sum of shifted inputs, each times its weights.

XLA:CPU's own takes fifty times longer forward, and its gradients more.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from keras import layers

from composable.engine.jax_cpu.convolution import Pads, Sizes, same_padding, tap_slices
from composable.engine.jax_cpu.materialised import materialised


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
    """In the gradients, inputs and slopes lie in frames of one size: that of the input and a kernel's span."""
    spans = _spans(kernel, dilation)
    frame = [(before, span - before, 0) for span, (before, _) in zip(spans, pads, strict=True)]
    framed = _framed(x, frame)
    sizes = zip(x.shape[1:-1], pads, spans, strides, strict=True)
    outputs = tuple((size + sum(pad) - span - 1) // stride + 1 for size, pad, span, stride in sizes)
    return materialised(_weighted_sum(strides, outputs, dilation), framed, kernel), (framed, kernel)


def _weighted_sum(strides,outputs,dilation):
    def f(framed, kernel):
        weights = kernel.reshape(-1, kernel.shape[-1])
        places = enumerate(_offsets(kernel, dilation))
        return sum(tap_slices(framed, at, outputs, strides) * weights[number] for number, at in places)
    return f

def _backward(strides: Sizes, pads: Pads, dilation: Sizes, kept: Any, slope: Any) -> Any:
    framed, kernel = kept
    spans = _spans(kernel, dilation)
    shape = tuple(size - span for size, span in zip(framed.shape[1:-1], spans, strict=True))
    frame = []
    for size, span, stride, (before, _), n in zip(shape, spans, strides, pads, slope.shape[1:-1], strict=True):
        frame.append((span - before, size + before - (n - 1) * stride - 1, stride - 1))
    slopes = _framed(slope, frame)
    turned = jnp.flip(kernel, tuple(range(len(spans))))
    offsets = _offsets(kernel, dilation)
    to_x = materialised(_weighted_sum((1,) * len(spans), shape, dilation), slopes, turned)
    starts = tuple(first for first, _, _ in frame)
    to_kernel = materialised(lambda framed, slopes: [_product_of_shifted(framed, slopes, at, starts) for at in offsets], framed, slopes)
    return to_x, jnp.stack(to_kernel).reshape(kernel.shape)


_convolved.defvjp(_forward, _backward)


def _product_of_shifted(framed: Any, slopes: Any, offsets: Sizes, starts: Sizes) -> Any:
    """The sum over all places of the input at `offsets` from each output, times the slope there: (channels,).

    With all axes but the channels as one, a shift is a distance. What it brings around the edges meets zeros.
    """
    distance, channels = 0, framed.shape[-1]
    for size, offset, start in zip(framed.shape[1:-1], offsets, starts, strict=True):
        distance = distance * size + offset - start
    inputs, slopes = framed.reshape(-1, channels), slopes.reshape(-1, channels)
    inputs = inputs[max(0, distance) : len(inputs) + min(0, distance)]
    slopes = slopes[max(0, -distance) : len(slopes) + min(0, -distance)]
    return jnp.sum(inputs * slopes, 0)


def _framed(x: Any, frame: list[tuple[int, int, int]]) -> Any:
    """Padded with zeros, in memory: a loop keeps XLA from padding within the sums, anew for each place."""
    padding = [(0, 0, 0), *frame, (0, 0, 0)]
    return materialised(lambda x: lax.pad(x, jnp.zeros((), x.dtype), padding), x)


def _spans(kernel: Any, dilation: Sizes) -> Sizes:
    return tuple(d * (k - 1) for d, k in zip(dilation, kernel.shape, strict=False))


def _offsets(kernel: Any, dilation: Sizes) -> list[Sizes]:
    places = product(*map(range, kernel.shape[:-1]))
    return [tuple(place * d for place, d in zip(each, dilation, strict=True)) for each in places]
