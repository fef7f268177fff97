"""MobileNet, version 2: residual blocks turned inside out, narrow between blocks and wide within.

Sandler, Howard, Zhu, Zhmoginov & Chen 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
arXiv:1801.04381, table 2.
"""

from __future__ import annotations

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, checked
from composable.design.mobile import convolve, depthwise, divisible
from composable.design.tasks import classifier

FILTERS = (16, 24, 32, 64, 96, 160, 320)  # table 2: c, n and s
BLOCKS = (1, 2, 3, 4, 3, 3, 1)
STRIDES = (1, 2, 2, 2, 1, 2, 1)


@component
def inverted(x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 6) -> Any:
    """1x1 to more channels, 3x3 in every channel, 1x1 to fewer and no activation (table 1, figure 4d)."""
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        x = convolve(x, channels * expansion, activation="relu6")
    x = depthwise(x, 3, strides, "relu6")
    x = convolve(x, filters)
    return layers.Add()([shortcut, x]) if strides == 1 and channels == filters else x


@checked
def mobilenet_v2(
    *,
    alpha: Annotated[float, Field(gt=0)] = 1.0,
    classes: Count = 1000,
    expansion: Count = 6,
    filters: tuple[Count, ...] = FILTERS,
    blocks: tuple[Count, ...] = BLOCKS,
    strides: tuple[Count, ...] = STRIDES,
) -> Architecture:
    """MobileNet, version 2.

    Args:
        alpha: All widths are multiplied by it, to the nearest multiple of eight; the last one only upwards.
        classes: How many there are.
        expansion: How many times wider a block is within, but for the first group: that isn't.
        filters: Per group; the stem has twice the first, the last convolution four times the last.
        blocks: Per group.
        strides: Per group.
    """
    kinds = (Part(inverted, expansion=1), *(Part(inverted, expansion=expansion) for _ in filters[1:]))
    widths = tuple(divisible(int(f * alpha)) for f in filters)
    stem, last = divisible(2 * filters[0] * alpha), divisible(4 * filters[-1] * max(1.0, alpha))
    return Architecture(
        stem=Part(convolve, filters=stem, kernel_size=3, strides=2, activation="relu6"),
        learner=(
            *groups(kinds, filters=widths, blocks=blocks, strides=strides),
            Part(convolve, filters=last, activation="relu6"),
        ),
        tasks=Part(classifier, classes=classes),
    )


@checked
def mobilenet_v2_space(*, classes: Count = 1000) -> Architecture:
    """Depth, width and expansion of every group."""
    block = Part(inverted, expansion=Choice((3, 6)))
    return Architecture(
        stem=Part(convolve, filters=Choice((8, 16, 32)), kernel_size=3, strides=2, activation="relu6"),
        learner=(
            *(
                Part(group, block=block, filters=Choice((f // 2, f)), blocks=Between(1, b), strides=s)
                for f, b, s in zip(FILTERS[1:6], BLOCKS[1:6], STRIDES[1:6], strict=True)
            ),
            Part(convolve, filters=Choice((320, 640, 1280)), activation="relu6"),
        ),
        tasks=Part(classifier, classes=classes, dropout=Between(0.0, 0.3)),
    )
