"""SE-ResNet and SE-ResNeXt: residual blocks, each of which ends by weighing its channels.

Hu, Shen & Sun 2017, "Squeeze-and-Excitation Networks", arXiv:1709.01507, figure 3 and table 1. The blocks of
SE-ResNeXt have many narrow paths side by side: Xie et al. 2017, "Aggregated Residual Transformations for Deep
Neural Networks", arXiv:1611.05431, figure 3c.
"""

from __future__ import annotations

from typing import Any, Literal

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import add_shortcut, conv_norm, max_pool, squeeze_excite
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, Counts, checked
from composable.design.part import Component
from composable.design.tasks import classifier

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # as ResNet's
FILTERS = (64, 128, 256, 512)


@component
def bottleneck(
    x: Any,
    *,
    filters: Count,
    strides: Count = 1,
    expansion: Count = 4,
    attention: Component = squeeze_excite,
) -> Any:
    """1x1 to fewer channels (and strides), 3x3, 1x1 to more, attention to channels (figure 3, right)."""
    y = conv_norm(x, filters, 1, strides)
    y = conv_norm(y, filters, 3)
    y = attention(conv_norm(y, filters * expansion, 1, activation=None))
    return add_shortcut(x, y, strides)


@checked
def se_resnet(
    *,
    depth: Literal[50, 101, 152] = 50,
    classes: Count = 1000,
    blocks: Counts | None = None,
    filters: Counts = FILTERS,
    ratio: Count = 16,
    squeeze_bias: bool = True,
) -> Architecture:
    """SE-ResNet for large images.

    Args:
        depth: Layers with weights of the ResNet beneath, as published.
        classes: How many there are.
        blocks: Per group, instead of those of `depth`.
        filters: Per group.
        ratio: Of a block's channels to the units that weigh them.
        squeeze_bias: Of the dense layers in the attention.
    """
    attention = Part(squeeze_excite, ratio=ratio, use_bias=squeeze_bias)
    return Architecture(
        stem=(Part(conv_norm, filters=filters[0], kernel_size=7, strides=2), Part(max_pool)),
        learner=groups(
            Part(bottleneck, attention=attention), filters=filters, blocks=blocks or BLOCKS[depth]
        ),
        tasks=Part(classifier, classes=classes),
    )


@checked
def se_resnet_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group; one expansion and one ratio for all."""
    block = Part(
        bottleneck,
        expansion=Choice((2, 4), name="expansion"),
        attention=Part(squeeze_excite, ratio=Choice((4, 8, 16), name="ratio")),
    )
    return Architecture(
        stem=(Part(conv_norm, filters=Choice((16, 32, 64)), kernel_size=7, strides=2), Part(max_pool)),
        learner=tuple(
            Part(group, block=block, filters=Choice((f // 2, f)), blocks=Between(1, b), strides=s)
            for f, b, s in zip(FILTERS, (3, 4, 6, 3), (1, 2, 2, 2), strict=True)
        ),
        tasks=Part(classifier, classes=classes),
    )


GROUPED_FILTERS = (256, 512, 1024, 2048)
CARDINALITY, WIDTH = 32, 4  # the only form that the paper has: 32x4d


@component
def grouped_bottleneck(
    x: Any,
    *,
    filters: Count,
    strides: Count = 1,
    cardinality: Count = CARDINALITY,
    width: Count = WIDTH,
    attention: Component = squeeze_excite,
) -> Any:
    """1x1, a 3x3 convolution on every path for itself, 1x1, attention to channels.

    Args:
        x: Feature maps.
        filters: What the block gives.
        strides: Of the 3x3.
        cardinality: How many paths.
        width: Channels on each path.
        attention: What weighs the channels.
    """
    y = conv_norm(x, cardinality * width, 1)
    y = conv_norm(y, cardinality * width, 3, strides, groups=cardinality)
    y = attention(conv_norm(y, filters, 1, activation=None))
    return add_shortcut(x, y, strides)


@checked
def se_resnext(
    *,
    depth: Literal[50, 101, 152] = 50,
    classes: Count = 1000,
    paths: tuple[Count, Count] = (CARDINALITY, WIDTH),
    blocks: Counts | None = None,
    filters: Counts = GROUPED_FILTERS,
    ratio: Count = 16,
    squeeze_bias: bool = True,
) -> Architecture:
    """SE-ResNeXt for large images.

    Args:
        depth: Layers with weights of the ResNeXt beneath, as published.
        classes: How many there are.
        paths: How many a block has, and the channels on each in the first group; doubled from group to group.
        blocks: Per group, instead of those of `depth`.
        filters: What the blocks of each group give; the stem a quarter of the first.
        ratio: Of a block's channels to the units that weigh them.
        squeeze_bias: Of the dense layers in the attention.
    """
    cardinality, width = paths
    attention = Part(squeeze_excite, ratio=ratio, use_bias=squeeze_bias)
    block = tuple(
        Part(grouped_bottleneck, cardinality=cardinality, width=width * 2**number, attention=attention)
        for number in range(len(filters))
    )
    return Architecture(
        stem=(
            Part(conv_norm, filters=max(1, filters[0] // 4), kernel_size=7, strides=2),
            Part(max_pool),
        ),
        learner=groups(block, filters=filters, blocks=blocks or BLOCKS[depth]),
        tasks=Part(classifier, classes=classes),
    )


@checked
def se_resnext_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group; one cardinality and one ratio for all."""
    cardinality = Choice((4, 8, 16, 32), name="cardinality")
    attention = Part(squeeze_excite, ratio=Choice((4, 8, 16), name="ratio"))
    return Architecture(
        stem=(Part(conv_norm, filters=Choice((32, 64)), kernel_size=7, strides=2), Part(max_pool)),
        learner=tuple(
            Part(
                group,
                block=Part(
                    grouped_bottleneck,
                    cardinality=cardinality,
                    width=Choice((f // 64, f // 32)),
                    attention=attention,
                ),
                filters=Choice((f // 2, f)),
                blocks=Between(1, 4),
                strides=s,
            )
            for f, s in zip(GROUPED_FILTERS, (1, 2, 2, 2), strict=True)
        ),
        tasks=Part(classifier, classes=classes),
    )
