"""MobileNet, versions 1 to 3: convolutions in two steps, every channel by itself and then across channels.

Version 1: Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", arXiv:1704.04861, table 1; its width multiplier is `alpha`, its resolution multiplier the
input's size.

Version 2 turns residual blocks inside out, narrow between blocks and wide within: Sandler, Howard, Zhu,
Zhmoginov & Chen 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381, table 2.

Version 3 was found by search, some blocks with gated channels, and has cheaper ends: Howard et al. 2019,
"Searching for MobileNetV3", arXiv:1905.02244, tables 1 (large) and 2 (small). The minimalistic models of its
reference code do without 5x5 kernels, gates and hard swish.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import divisible, gated, mobile_conv, mobile_depthwise
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, Rate, checked
from composable.design.stems import normalize
from composable.design.tasks import classifier

V1_FILTERS = (64, 128, 256, 512, 1024)  # table 1 of version 1
V1_BLOCKS = (1, 2, 2, 6, 2)


@component
def separable(x: Any, *, filters: Count, strides: Count = 1) -> Any:
    """3x3 in every channel, then 1x1 across channels (figure 3, right)."""
    x = mobile_depthwise(x, 3, strides, "relu6")
    return mobile_conv(x, filters, activation="relu6")


@checked
def mobilenet_v1(
    *,
    alpha: Annotated[float, Field(gt=0)] = 1.0,
    classes: Count = 1000,
    filters: tuple[Count, ...] = V1_FILTERS,
    blocks: tuple[Count, ...] = V1_BLOCKS,
    dropout: Rate = 0.001,
) -> Architecture:
    """MobileNet, version 1.

    Args:
        alpha: All widths are multiplied by it.
        classes: How many there are.
        filters: Per group; the stem has half of the first.
        blocks: Per group; every group but the first halves the image.
        dropout: Before the scores.
    """
    stem, *widths = (max(1, int(f * alpha)) for f in (filters[0] // 2, *filters))
    return Architecture(
        stem=Part(mobile_conv, filters=stem, kernel_size=3, strides=2, activation="relu6"),
        learner=groups(Part(separable), filters=tuple(widths), blocks=blocks),
        tasks=Part(classifier, classes=classes, dropout=dropout),
    )


@checked
def mobilenet_v1_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group."""
    return Architecture(
        stem=Part(mobile_conv, filters=Choice((8, 16, 32)), kernel_size=3, strides=2, activation="relu6"),
        learner=tuple(
            Part(group, block=separable, filters=Choice((f // 4, f // 2, f)), blocks=Between(1, b), strides=s)
            for f, b, s in zip(V1_FILTERS, (2, 2, 2, 6, 2), (1, 2, 2, 2, 2), strict=True)
        ),
        tasks=Part(classifier, classes=classes, dropout=Between(0.0, 0.3)),
    )


V2_FILTERS = (16, 24, 32, 64, 96, 160, 320)  # table 2: c, n and s
V2_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
V2_STRIDES = (1, 2, 2, 2, 1, 2, 1)


@component
def inverted(x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 6) -> Any:
    """1x1 to more channels, 3x3 in every channel, 1x1 to fewer and no activation (table 1, figure 4d)."""
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        x = mobile_conv(x, channels * expansion, activation="relu6")
    x = mobile_depthwise(x, 3, strides, "relu6")
    x = mobile_conv(x, filters)
    return layers.Add()([shortcut, x]) if strides == 1 and channels == filters else x


@checked
def mobilenet_v2(
    *,
    alpha: Annotated[float, Field(gt=0)] = 1.0,
    classes: Count = 1000,
    expansion: Count = 6,
    filters: tuple[Count, ...] = V2_FILTERS,
    blocks: tuple[Count, ...] = V2_BLOCKS,
    strides: tuple[Count, ...] = V2_STRIDES,
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
        stem=Part(mobile_conv, filters=stem, kernel_size=3, strides=2, activation="relu6"),
        learner=(
            *groups(kinds, filters=widths, blocks=blocks, strides=strides),
            Part(mobile_conv, filters=last, activation="relu6"),
        ),
        tasks=Part(classifier, classes=classes),
    )


@checked
def mobilenet_v2_space(*, classes: Count = 1000) -> Architecture:
    """Depth, width and expansion of every group."""
    block = Part(inverted, expansion=Choice((3, 6)))
    return Architecture(
        stem=Part(mobile_conv, filters=Choice((8, 16, 32)), kernel_size=3, strides=2, activation="relu6"),
        learner=(
            *(
                Part(group, block=block, filters=Choice((f // 2, f)), blocks=Between(1, b), strides=s)
                for f, b, s in zip(V2_FILTERS[1:6], V2_BLOCKS[1:6], V2_STRIDES[1:6], strict=True)
            ),
            Part(mobile_conv, filters=Choice((320, 640, 1280)), activation="relu6"),
        ),
        tasks=Part(classifier, classes=classes, dropout=Between(0.0, 0.3)),
    )


Activation = Literal["relu", "hard_swish"]
Expansion = Annotated[float, Field(ge=1)]
Row = tuple[Count, Expansion, Count, bool, Activation, Count]
"""One block as in the paper's tables: kernel size, expansion, filters, gates, activation, strides."""

V3_LARGE: tuple[Row, ...] = (
    (3, 1, 16, False, "relu", 1),
    (3, 4, 24, False, "relu", 2),
    (3, 3, 24, False, "relu", 1),
    (5, 3, 40, True, "relu", 2),
    (5, 3, 40, True, "relu", 1),
    (5, 3, 40, True, "relu", 1),
    (3, 6, 80, False, "hard_swish", 2),
    (3, 2.5, 80, False, "hard_swish", 1),
    (3, 2.3, 80, False, "hard_swish", 1),
    (3, 2.3, 80, False, "hard_swish", 1),
    (3, 6, 112, True, "hard_swish", 1),
    (3, 6, 112, True, "hard_swish", 1),
    (5, 6, 160, True, "hard_swish", 2),
    (5, 6, 160, True, "hard_swish", 1),
    (5, 6, 160, True, "hard_swish", 1),
)
V3_SMALL: tuple[Row, ...] = (
    (3, 1, 16, True, "relu", 2),
    (3, 72 / 16, 24, False, "relu", 2),
    (3, 88 / 24, 24, False, "relu", 1),
    (5, 4, 40, True, "hard_swish", 2),
    (5, 6, 40, True, "hard_swish", 1),
    (5, 6, 40, True, "hard_swish", 1),
    (5, 3, 48, True, "hard_swish", 1),
    (5, 3, 48, True, "hard_swish", 1),
    (5, 6, 96, True, "hard_swish", 2),
    (5, 6, 96, True, "hard_swish", 1),
    (5, 6, 96, True, "hard_swish", 1),
)
_V3_OPEN_GROUPS = ((24, 2, "relu"), (40, 3, "relu"), (80, 4, "hard_swish"), (160, 5, "hard_swish"))


@component
def bneck(
    x: Any,
    *,
    filters: Count,
    strides: Count = 1,
    kernel_size: Count = 3,
    expansion: Expansion = 6,
    gates: bool = True,
    activation: Activation = "hard_swish",
) -> Any:
    """An inverted block, its wide channels gated (figure 4).

    Args:
        x: Feature maps.
        filters: Channels of what it gives.
        strides: Of the depthwise convolution.
        kernel_size: Of the depthwise convolution.
        expansion: How many times wider the block is within, to a multiple of eight.
        gates: Whether the channels within are gated.
        activation: After every convolution but the last.
    """
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        x = mobile_conv(x, divisible(channels * expansion), activation=activation)
    x = mobile_depthwise(x, kernel_size, strides, activation)
    if gates:
        x = gated(x, divisible(x.shape[-1] / 4), "relu", "hard_sigmoid")
    x = mobile_conv(x, filters)
    return layers.Add()([shortcut, x]) if strides == 1 and channels == filters else x


@component
def late_pool(x: Any, *, units: Count = 1280, activation: Activation = "hard_swish") -> Any:
    """Averages first, and weighted sums of them after: cheaper than the other way round (figure 5)."""
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(units, activation=activation)(x)


@checked
def mobilenet_v3(
    *,
    size: Literal["large", "small"] = "large",
    alpha: Annotated[float, Field(gt=0)] = 1.0,
    classes: Count = 1000,
    minimalistic: bool = False,
    rows: tuple[Row, ...] | None = None,
    units: Count | None = None,
    dropout: Rate = 0.2,
) -> Architecture:
    """MobileNet, version 3.

    Args:
        size: Which of the two that were found.
        alpha: All widths but the stem's are multiplied by it, to the nearest multiple of eight; the last one
            only upwards.
        classes: How many there are.
        minimalistic: Nothing but 3x3 kernels and ReLU, no gates: for hardware that is slow at the rest.
        rows: The blocks, instead of those of `size`; every one that strides begins a group.
        units: Of the embedding; None for those of `size`.
        dropout: Before the scores.
    """
    rows = rows or (V3_LARGE if size == "large" else V3_SMALL)
    units = divisible((units or (1280 if size == "large" else 1024)) * max(1.0, alpha))
    last, widened = ("relu" if minimalistic else "hard_swish"), divisible(6 * divisible(rows[-1][2] * alpha))
    return Architecture(
        prestem=Part(normalize),
        stem=Part(mobile_conv, filters=16, kernel_size=3, strides=2, activation=last),
        learner=(
            *_grouped([_block(row, alpha, minimalistic=minimalistic) for row in rows]),
            Part(mobile_conv, filters=widened, activation=last),
        ),
        tasks=Part(
            classifier,
            classes=classes,
            pool=Part(late_pool, units=units, activation=last),
            dropout=dropout,
        ),
    )


@checked
def mobilenet_v3_space(*, classes: Count = 1000) -> Architecture:
    """What was searched: kernel, expansion, gates, width and depth of every group."""
    return Architecture(
        prestem=Part(normalize),
        stem=Part(mobile_conv, filters=Choice((8, 16)), kernel_size=3, strides=2, activation="hard_swish"),
        learner=(
            *(
                Part(
                    group,
                    block=Part(
                        bneck,
                        kernel_size=Choice((3, 5)),
                        expansion=Choice((3, 6)),
                        gates=Choice((False, True)),
                        activation=activation,
                    ),
                    filters=Choice((f // 2, f)),
                    blocks=Between(1, b),
                )
                for f, b, activation in _V3_OPEN_GROUPS
            ),
            Part(mobile_conv, filters=Choice((480, 960)), activation="hard_swish"),
        ),
        tasks=Part(
            classifier,
            classes=classes,
            pool=Part(late_pool, units=Choice((320, 640, 1280))),
            dropout=Between(0.0, 0.3),
        ),
    )


def _block(row: Row, alpha: float, *, minimalistic: bool) -> Part:
    kernel_size, expansion, filters, gates, activation, strides = row
    return Part(
        bneck,
        filters=divisible(filters * alpha),
        strides=strides,
        kernel_size=3 if minimalistic else kernel_size,
        expansion=expansion,
        gates=gates and not minimalistic,
        activation="relu" if minimalistic else activation,
    )


def _grouped(blocks: list[Part]) -> list[tuple[Part, ...]]:
    """Blocks by the size of their images: each that strides begins a group."""
    found: list[tuple[Part, ...]] = [()]
    for block in blocks:
        if block.metaparameters["strides"] > 1 and found[-1]:
            found.append(())
        found[-1] = (*found[-1], block)
    return found
