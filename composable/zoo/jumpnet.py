"""JumpNet: every group hands on what it was given beside what it made of that, joined by a jump link.

Ferlitsch 2020, "JumpNet", a draft without a paper; the design is that of the author's code, zoo/jumpnet in
github.com/GoogleCloudPlatform/keras-idiomatic-programmer.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import conv, conv_norm, norm
from composable.design.metaparameters import Count, Counts, checked
from composable.design.part import Component
from composable.design.tasks import classifier

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # as ResNet's


@component
def stem(x: Any, *, filters: tuple[Count, Count] = (32, 64), strides: Count = 2) -> Any:
    """Two 3x3 convolutions, which see as much as one of 5x5; the first strides."""
    x = conv_norm(x, filters[0], 3, strides)
    return conv_norm(x, filters[1], 3)


@component
def identity_block(x: Any) -> Any:
    """1x1, 3x3, 1x1, each after a normalization and ReLU, added to `x`; no bottleneck between."""
    channels = x.shape[-1]
    y = conv_norm(norm(x, "relu"), channels, 1)
    y = conv_norm(y, channels, 3)
    return layers.Add()([x, conv(y, channels, 1)])


@component
def jump_group(x: Any, *, block: Component = identity_block, blocks: Count) -> Any:
    """Blocks and the jump link around them; both end in half the image, and joined in twice the channels.

    Args:
        x: Feature maps.
        block: Keeps the shape.
        blocks: How many.
    """
    channels = x.shape[-1]
    jump = conv(norm(x), channels, 1, strides=2)
    for _ in range(blocks):
        x = block(x)
    x = conv(norm(x, "relu"), channels, 1, strides=2)
    return layers.Concatenate()([jump, x])


@checked
def jumpnet(
    *,
    depth: Literal[50, 101, 152] = 50,
    classes: Count = 1000,
    blocks: Counts | None = None,
    filters: tuple[Count, Count] = (32, 64),
    strides: Count = 2,
) -> Architecture:
    """JumpNet.

    Args:
        depth: Of the ResNet whose numbers of blocks it has.
        classes: How many there are.
        blocks: Per group, instead of those of `depth`.
        filters: Of the stem's two convolutions. The first group has as many as the second, and each group
            twice as many as the one before.
        strides: Of the stem: 2 for large images, 1 for small ones.
    """
    return Architecture(
        stem=Part(stem, filters=filters, strides=strides),
        learner=tuple(Part(jump_group, blocks=number) for number in blocks or BLOCKS[depth]),
        tasks=Part(classifier, classes=classes),
    )


@checked
def jumpnet_space(*, classes: Count = 1000) -> Architecture:
    """The depth of every group, and the width of all."""
    return Architecture(
        stem=Part(stem, filters=Choice(((8, 16), (16, 32), (32, 64))), strides=Choice((1, 2))),
        learner=tuple(Part(jump_group, blocks=Between(1, most)) for most in (3, 4, 6, 3)),
        tasks=Part(classifier, classes=classes),
    )
