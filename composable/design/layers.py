"""House layers: the few combinations of Keras layers that most families share."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import component

EPSILON = 1e-5  # of batch normalization, as in PyTorch and nearly (1.001e-5) in keras.applications' ResNets
INITIALIZER = "he_uniform"  # of the same variance as He et al.'s normal one, and drawn in less time


@component
def conv(
    x: Any,
    filters: Count,
    kernel_size: Count,
    strides: Count = 1,
    *,
    groups: Count = 1,
    use_bias: bool = False,
) -> Any:
    """Convolution of images, padded by as much on every side, so that strides fall as in the papers' code.

    Keras's own "same" pads strided convolutions of even images on the right and bottom alone.
    """
    if strides > 1 and kernel_size > 1:
        x = layers.ZeroPadding2D((kernel_size - 1) // 2)(x)
    return layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same" if strides == 1 else "valid",
        groups=groups,
        use_bias=use_bias,
        kernel_initializer=INITIALIZER,
    )(x)


@component
def norm(x: Any, activation: str | None = None) -> Any:
    """Batch normalization and, where there is one, the activation."""
    x = layers.BatchNormalization(epsilon=EPSILON)(x)
    return layers.Activation(activation)(x) if activation else x


@component
def conv_norm(
    x: Any,
    filters: Count,
    kernel_size: Count,
    strides: Count = 1,
    activation: str | None = "relu",
    *,
    groups: Count = 1,
    use_bias: bool = False,
) -> Any:
    """Convolution, batch normalization, activation: the brick of most families since 2015."""
    x = conv(x, filters, kernel_size, strides, groups=groups, use_bias=use_bias)
    return norm(x, activation)


@component
def max_pool(x: Any, *, size: Count = 3, strides: Count = 2) -> Any:
    """The largest in each window, the image padded by as much on every side as `conv` pads it.

    With zeros: what is pooled comes from a ReLU, or the published network does so too.
    """
    x = layers.ZeroPadding2D((size - 1) // 2)(x)
    return layers.MaxPooling2D(size, strides)(x)


def response_norm(
    x: Any, *, window: int = 5, bias: float = 2.0, scale: float = 1e-4, power: float = 0.75
) -> Any:
    """Local response normalization: every channel over the strength of its neighbors.

    Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks", section 3.3.
    """
    channels, before = x.shape[-1], (window - 1) // 2
    squares: Any = ops.pad(ops.square(x), ((0, 0), (0, 0), (0, 0), (before, window - 1 - before)))
    strength = squares[..., :channels]
    for shift in range(1, window):
        strength = strength + squares[..., shift : shift + channels]
    return x / ops.power(bias + scale * strength, power)
