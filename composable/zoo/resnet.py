"""ResNet: blocks that add to what they are given.

He, Zhang, Ren & Sun 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385, table 1.
Version 1.5 strides in the 3x3 convolution, as torchvision and most later code do.

Version 2 normalizes first, so that nothing stands between one sum and the next: the same 2016, "Identity
Mappings in Deep Residual Networks", arXiv:1603.05027, figure 4e. Biases and strides as in keras.applications:
the last block of a group strides.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import add_shortcut, conv, conv_norm, max_pool, norm
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, Counts, checked
from composable.design.part import Component
from composable.design.tasks import classifier

BLOCKS = {  # table 1
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
FILTERS = (64, 128, 256, 512)


@component
def basic(x: Any, *, filters: Count, strides: Count = 1, use_bias: bool = False) -> Any:
    """Two 3x3 convolutions (figure 5, left)."""
    y = conv_norm(x, filters, 3, strides, use_bias=use_bias)
    y = conv_norm(y, filters, 3, activation=None, use_bias=use_bias)
    return add_shortcut(x, y, strides, use_bias=use_bias)


@component
def bottleneck(
    x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 4, use_bias: bool = True
) -> Any:
    """1x1 to fewer channels, 3x3, 1x1 to more (figure 5, right); the stride in the first."""
    y = conv_norm(x, filters, 1, strides, use_bias=use_bias)
    y = conv_norm(y, filters, 3, use_bias=use_bias)
    y = conv_norm(y, filters * expansion, 1, activation=None, use_bias=use_bias)
    return add_shortcut(x, y, strides, use_bias=use_bias)


@component
def bottleneck_v1_5(
    x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 4, use_bias: bool = False
) -> Any:
    """As `bottleneck`, the stride in the 3x3 convolution: no position is skipped."""
    y = conv_norm(x, filters, 1, use_bias=use_bias)
    y = conv_norm(y, filters, 3, strides, use_bias=use_bias)
    y = conv_norm(y, filters * expansion, 1, activation=None, use_bias=use_bias)
    return add_shortcut(x, y, strides, use_bias=use_bias)


@checked
def resnet(
    *,
    depth: Literal[18, 34, 50, 101, 152] = 50,
    version: Literal["v1", "v1_5"] = "v1",
    classes: Count = 1000,
    block: Component | Open | None = None,
    blocks: Counts | None = None,
    filters: Counts = FILTERS,
    use_bias: bool | None = None,
) -> Architecture:
    """ResNet for large images.

    Args:
        depth: Layers with weights, as published.
        version: Of the bottleneck: `v1` strides in its first convolution, `v1_5` in its 3x3.
        classes: How many there are.
        block: Any function of `filters` and `strides`; None for `basic` up to depth 34, a bottleneck beyond.
        blocks: Per group, instead of those of `depth`.
        filters: Per group.
        use_bias: Of the convolutions, which a normalization follows, but not in a given `block`; None as
            keras.applications has it: in `bottleneck` alone.
    """
    kind = {"v1": bottleneck, "v1_5": bottleneck_v1_5}[version] if depth > 34 else basic
    biased = (kind is bottleneck and block is None) if use_bias is None else use_bias
    return Architecture(
        stem=(
            Part(conv_norm, filters=filters[0], kernel_size=7, strides=2, use_bias=biased),
            Part(max_pool),
        ),
        learner=groups(block or Part(kind, use_bias=biased), filters=filters, blocks=blocks or BLOCKS[depth]),
        tasks=Part(classifier, classes=classes),
    )


@checked
def resnet_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group, and one kind of block for all."""
    block = Choice(tuple(Part(kind) for kind in (basic, bottleneck, bottleneck_v1_5)), name="block")
    return Architecture(
        stem=(Part(conv_norm, filters=Choice((16, 32, 64)), kernel_size=7, strides=2), Part(max_pool)),
        learner=tuple(
            Part(group, block=block, filters=Choice((f // 2, f)), blocks=Between(1, b), strides=s)
            for f, b, s in zip(FILTERS, (3, 6, 12, 4), (1, 2, 2, 2), strict=True)
        ),
        tasks=Part(classifier, classes=classes),
    )


@component
def bottleneck_v2(
    x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 4, use_bias: bool = True
) -> Any:
    """1x1 to fewer channels, 3x3, 1x1 to more, each after a normalization and ReLU; the stride in the 3x3.

    Args:
        x: Feature maps.
        filters: Of the first two convolutions.
        strides: Of the 3x3.
        expansion: Of the channels, by the last convolution.
        use_bias: Of the convolutions that no normalization follows at once: the last, and the projection.
    """
    normed = norm(x, "relu")
    y = conv_norm(normed, filters, 1)
    y = conv_norm(y, filters, 3, strides)
    y = conv(y, filters * expansion, 1, use_bias=use_bias)
    if x.shape[-1] != y.shape[-1]:
        x = conv(normed, y.shape[-1], 1, strides, use_bias=use_bias)
    elif strides > 1:
        x = layers.MaxPooling2D(1, strides)(x)  # of one pixel: it skips those between
    return layers.Add()([x, y])


@component
def group_v2(x: Any, *, block: Component, blocks: Count, filters: Count, strides: Count = 2) -> Any:
    """A block and its repetitions; the last one strides.

    Args:
        x: Feature maps.
        block: Takes `filters` and `strides`.
        blocks: How many.
        filters: Of every block.
        strides: Of the last block; the others have 1.
    """
    for number in range(1, blocks + 1):
        x = block(x, filters=filters, strides=strides if number == blocks else 1)
    return x


@checked
def resnet_v2(
    *,
    depth: Literal[50, 101, 152] = 50,
    classes: Count = 1000,
    block: Component | Open = bottleneck_v2,
    blocks: Counts | None = None,
    filters: Counts = FILTERS,
) -> Architecture:
    """ResNet version 2 for large images.

    Args:
        depth: Layers with weights, as published.
        classes: How many there are.
        block: Any function of `filters` and `strides`.
        blocks: Per group, instead of those of `depth`.
        filters: Per group.
    """
    strides = (*(2 for _ in filters[1:]), 1)
    return Architecture(
        stem=(
            Part(conv, filters=filters[0], kernel_size=7, strides=2, use_bias=True),
            Part(max_pool),
        ),
        learner=(
            *groups(block, filters=filters, blocks=blocks or BLOCKS[depth], strides=strides, of=group_v2),
            Part(norm, activation="relu"),
        ),
        tasks=Part(classifier, classes=classes),
    )


@checked
def resnet_v2_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group, and one expansion for all."""
    block = Part(bottleneck_v2, expansion=Choice((1, 2, 4), name="expansion"))
    return Architecture(
        stem=(Part(conv, filters=Choice((16, 32, 64)), kernel_size=7, strides=2), Part(max_pool)),
        learner=(
            *(
                Part(group_v2, block=block, filters=Choice((f // 2, f)), blocks=Between(1, b), strides=s)
                for f, b, s in zip(FILTERS, (3, 4, 6, 3), (2, 2, 2, 1), strict=True)
            ),
            Part(norm, activation="relu"),
        ),
        tasks=Part(classifier, classes=classes),
    )
