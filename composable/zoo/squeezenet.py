"""SqueezeNet: AlexNet's accuracy with a fiftieth of its weights.

Iandola, Han, Moskewicz, Ashraf, Dally & Keutzer 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer
parameters and <0.5MB model size", arXiv:1602.07360, table 1; the bypasses are those of figure 2.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from composable.design import Architecture, Choice, Part, component
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.tasks import compact_classifier

Bypass = Literal["simple", "complex"] | None

GROUPS = ((16, 16, 32), (32, 48, 48, 64), (64,))  # table 1: fire 2 to 4, 5 to 8 and 9


@component
def stem(x: Any, *, filters: Count = 96, kernel_size: Count = 7) -> Any:
    """A convolution that keeps every second position; its padding gives table 1's 111x111."""
    x = layers.ZeroPadding2D(max(0, (kernel_size - 3) // 2))(x)
    return layers.Conv2D(filters, kernel_size, strides=2, activation="relu", kernel_initializer=INITIALIZER)(
        x
    )


@component
def halved(x: Any) -> Any:
    """A pooling that halves the image."""
    return layers.MaxPooling2D(3, strides=2)(x)


@component
def fire(x: Any, *, squeeze: Count, expansion: Count = 4, bypass: Bypass = None) -> Any:
    """A 1x1 convolution to a few channels, a 1x1 and a 3x3 one side by side back to many (figure 1).

    Args:
        x: Feature maps.
        squeeze: Channels in between.
        expansion: How many times as many each of the two gives.
        bypass: "simple" adds `x` where its shape allows, "complex" its projection where it doesn't.
    """
    squeezed = _conv(x, squeeze, 1)
    wide = squeeze * expansion
    expanded = layers.Concatenate()([_conv(squeezed, wide, 1), _conv(squeezed, wide, 3)])
    if bypass and x.shape[-1] == 2 * wide:
        return layers.Add()([x, expanded])
    if bypass == "complex":
        return layers.Add()([_conv(x, 2 * wide, 1, activation=None), expanded])
    return expanded


def _conv(x: Any, filters: int, kernel_size: int, activation: str | None = "relu") -> Any:
    return layers.Conv2D(
        filters, kernel_size, padding="same", activation=activation, kernel_initializer=INITIALIZER
    )(x)


@checked
def squeezenet(
    *,
    classes: Count = 1000,
    groups: tuple[tuple[Count, ...], ...] = GROUPS,
    filters: Count = 96,
    kernel_size: Count = 7,
    bypass: Bypass = None,
    dropout: Rate = 0.5,
) -> Architecture:
    """SqueezeNet, one feature map per class at its end and no dense layer.

    Args:
        classes: How many there are.
        groups: The squeezed channels of every fire module; each group begins by halving the image.
        filters: Of the first convolution.
        kernel_size: Of the first convolution.
        bypass: Around the fire modules, as `fire` has it.
        dropout: Before the last convolution.
    """
    return Architecture(
        stem=Part(stem, filters=filters, kernel_size=kernel_size),
        learner=tuple(
            (Part(halved), *(Part(fire, squeeze=squeeze, bypass=bypass) for squeeze in group))
            for group in groups
        ),
        tasks=Part(compact_classifier, classes=classes, dropout=dropout),
    )


@checked
def squeezenet_space(*, classes: Count = 1000) -> Architecture:
    """The channels of every fire module, and one kind of bypass and one expansion for all."""
    bypass = Choice((None, "simple", "complex"), name="bypass")
    expansion = Choice((2, 4), name="expansion")
    return Architecture(
        stem=Part(stem, filters=Choice((32, 64, 96)), kernel_size=Choice((3, 7))),
        learner=tuple(
            (
                Part(halved),
                *(
                    Part(fire, squeeze=Choice((most // 2, most)), expansion=expansion, bypass=bypass)
                    for most in group
                ),
            )
            for group in GROUPS
        ),
        tasks=Part(compact_classifier, classes=classes, dropout=0.5),
    )
