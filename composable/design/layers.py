"""The few combinations of Keras layers that several families share.

Those of the networks that were made for phones (depthwise convolutions, widths in eights, gated channels) pad
as TensorFlow does ("same": of an odd number of pixels, the odd one is on the right and below) and normalize
with Keras's own epsilon, as the published weights of these networks expect.
"""

from __future__ import annotations

from typing import Any

from keras import initializers, layers, ops

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


def add_shortcut(x: Any, y: Any, strides: int, *, use_bias: bool = False) -> Any:
    """Add the input of a residual block to its output, then ReLU.

    Where strides or channels change the shape, a 1x1 convolution projects the input (ResNet's option B).
    """
    if strides > 1 or x.shape[-1] != y.shape[-1]:
        x = conv_norm(x, y.shape[-1], 1, strides, activation=None, use_bias=use_bias)
    return layers.ReLU()(layers.Add()([x, y]))


@component
def squeeze_excite(x: Any, *, ratio: Count = 16, use_bias: bool = True) -> Any:
    """Each channel times a weight between 0 and 1, found from the means of all of them.

    Hu, Shen & Sun 2017, "Squeeze-and-Excitation Networks", arXiv:1709.01507, figure 3.

    Args:
        x: Feature maps.
        ratio: Of the channels to the units between: 16 leaves a sixteenth of them.
        use_bias: Of both dense layers: equation 3 leaves the biases out, the published models have them.
    """
    channels = x.shape[-1]
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Dense(
        max(1, channels // ratio), activation="relu", use_bias=use_bias, kernel_initializer=INITIALIZER
    )(weights)
    weights = layers.Dense(channels, activation="sigmoid", use_bias=use_bias)(weights)
    return layers.Multiply()([x, weights])


@component
def patches(x: Any, *, size: Count = 16, width: Count) -> Any:
    """Squares of `size` pixels, row by row, each as `width` weighted sums of its pixels.

    Raises:
        ValueError: If a side isn't a whole number of patches.
    """
    if any(side is None or side % size for side in x.shape[1:3]):
        raise ValueError(f"Sides of {x.shape[1]} and {x.shape[2]} pixels aren't whole numbers of {size}.")
    x = layers.Conv2D(width, size, strides=size)(x)
    return layers.Reshape((-1, width))(x)


@component
def mobile_conv(
    x: Any, filters: Count, kernel_size: Count = 1, strides: Count = 1, activation: str | None = None
) -> Any:
    """As `conv_norm`, with the padding and epsilon of networks for phones."""
    x = layers.Conv2D(
        filters, kernel_size, strides, padding="same", use_bias=False, kernel_initializer=_mobile_spread()
    )(x)
    return _mobile_norm(x, activation)


@component
def mobile_depthwise(
    x: Any, kernel_size: Count = 3, strides: Count = 1, activation: str | None = None
) -> Any:
    """As `mobile_conv`, every channel by itself."""
    x = layers.DepthwiseConv2D(
        kernel_size, strides, padding="same", use_bias=False, depthwise_initializer=_mobile_spread()
    )(x)
    return _mobile_norm(x, activation)


@component
def gated(x: Any, squeezed: Count, activation: str = "relu", gate: str = "sigmoid") -> Any:
    """Every channel times a gate that depends on all of them, through `squeezed` numbers.

    Hu, Shen & Sun 2017, "Squeeze-and-Excitation Networks", arXiv:1709.01507, figure 3.
    """
    gates = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gates = layers.Conv2D(squeezed, 1, activation=activation, kernel_initializer=_mobile_spread())(gates)
    gates = layers.Conv2D(x.shape[-1], 1, activation=gate, kernel_initializer=_mobile_spread())(gates)
    return layers.Multiply()([x, gates])


def divisible(width: float, by: int = 8) -> int:
    """The multiple of `by` next to `width`, at least one and never less than nine tenths of it."""
    nearest = max(by, int(width + by / 2) // by * by)
    return nearest + by if nearest < 0.9 * width else nearest


def _mobile_norm(x: Any, activation: str | None) -> Any:
    x = layers.BatchNormalization()(x)
    return layers.Activation(activation)(x) if activation else x


def _mobile_spread() -> Any:
    """By what a kernel gives out: a depthwise kernel takes in one channel, whatever its shape says."""
    return initializers.VarianceScaling(2.0, "fan_out", "uniform")
