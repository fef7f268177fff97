"""What the blocks of several families share: what they add to, and attention to channels."""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design.layers import INITIALIZER, conv_norm
from composable.design.metaparameters import Count
from composable.design.part import component


def add_shortcut(x: Any, y: Any, strides: int, *, use_bias: bool = False) -> Any:
    """What a residual block was given and what it made of that, added, then ReLU.

    Where strides or channels change the shape, a 1x1 convolution projects what was given (ResNet's option B).
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
