"""House layers: the few combinations of Keras layers that most families share."""

from __future__ import annotations

from typing import Any

from keras import layers

EPSILON = 1e-5  # of batch normalization, as in PyTorch and nearly (1.001e-5) in keras.applications' ResNets


def conv(
    x: Any, filters: int, kernel_size: int, strides: int = 1, *, groups: int = 1, use_bias: bool = False
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
        kernel_initializer="he_normal",
    )(x)


def norm(x: Any, activation: str | None = None) -> Any:
    """Batch normalization and, where there is one, the activation."""
    x = layers.BatchNormalization(epsilon=EPSILON)(x)
    return layers.Activation(activation)(x) if activation else x


def conv_norm(
    x: Any,
    filters: int,
    kernel_size: int,
    strides: int = 1,
    activation: str | None = "relu",
    *,
    groups: int = 1,
    use_bias: bool = False,
) -> Any:
    """Convolution, batch normalization, activation: the brick of most families since 2015."""
    x = conv(x, filters, kernel_size, strides, groups=groups, use_bias=use_bias)
    return norm(x, activation)
