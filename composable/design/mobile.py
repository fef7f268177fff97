"""Bricks of the networks that were made for phones: depthwise convolutions, widths in eights, gated channels.

They pad as TensorFlow does ("same": of an odd number of pixels, the odd one is on the right and below) and
normalize with Keras's own epsilon, as the published weights of these networks expect.
"""

from __future__ import annotations

from typing import Any

from keras import initializers, layers

from composable.design.metaparameters import Count
from composable.design.part import component


@component
def convolve(
    x: Any, filters: Count, kernel_size: Count = 1, strides: Count = 1, activation: str | None = None
) -> Any:
    """Convolution, batch normalization and, where there is one, the activation."""
    x = layers.Conv2D(
        filters, kernel_size, strides, padding="same", use_bias=False, kernel_initializer=_spread()
    )(x)
    return _normed(x, activation)


@component
def depthwise(x: Any, kernel_size: Count = 3, strides: Count = 1, activation: str | None = None) -> Any:
    """As `convolve`, every channel by itself."""
    x = layers.DepthwiseConv2D(
        kernel_size, strides, padding="same", use_bias=False, depthwise_initializer=_spread()
    )(x)
    return _normed(x, activation)


@component
def gated(x: Any, squeezed: Count, activation: str = "relu", gate: str = "sigmoid") -> Any:
    """Every channel times a gate that depends on all of them, through `squeezed` numbers.

    Hu, Shen & Sun 2017, "Squeeze-and-Excitation Networks", arXiv:1709.01507, figure 3.
    """
    gates = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gates = layers.Conv2D(squeezed, 1, activation=activation, kernel_initializer=_spread())(gates)
    gates = layers.Conv2D(x.shape[-1], 1, activation=gate, kernel_initializer=_spread())(gates)
    return layers.Multiply()([x, gates])


def divisible(width: float, by: int = 8) -> int:
    """The multiple of `by` next to `width`, at least one and never less than nine tenths of it."""
    nearest = max(by, int(width + by / 2) // by * by)
    return nearest + by if nearest < 0.9 * width else nearest


def _normed(x: Any, activation: str | None) -> Any:
    x = layers.BatchNormalization()(x)
    return layers.Activation(activation)(x) if activation else x


def _spread() -> Any:
    """By what a kernel gives out: a depthwise kernel takes in one channel, whatever its shape says."""
    return initializers.VarianceScaling(2.0, "fan_out", "uniform")
