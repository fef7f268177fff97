"""MobileNet, version 3: inverted blocks found by search, some with gated channels, and cheaper ends.

Howard et al. 2019, "Searching for MobileNetV3", arXiv:1905.02244, tables 1 (large) and 2 (small). The
minimalistic models of its reference code do without 5x5 kernels, gates and hard swish.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.learners import group
from composable.design.metaparameters import Count, Rate, checked
from composable.design.mobile import convolve, depthwise, divisible, gated
from composable.design.prestems import normalize
from composable.design.tasks import classifier

Activation = Literal["relu", "hard_swish"]
Expansion = Annotated[float, Field(ge=1)]
Row = tuple[Count, Expansion, Count, bool, Activation, Count]
"""One block as in the paper's tables: kernel size, expansion, filters, gates, activation, strides."""

LARGE: tuple[Row, ...] = (
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
SMALL: tuple[Row, ...] = (
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
_OPEN_GROUPS = ((24, 2, "relu"), (40, 3, "relu"), (80, 4, "hard_swish"), (160, 5, "hard_swish"))


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
        x = convolve(x, divisible(channels * expansion), activation=activation)
    x = depthwise(x, kernel_size, strides, activation)
    if gates:
        x = gated(x, divisible(x.shape[-1] / 4), "relu", "hard_sigmoid")
    x = convolve(x, filters)
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
    rows = rows or (LARGE if size == "large" else SMALL)
    units = divisible((units or (1280 if size == "large" else 1024)) * max(1.0, alpha))
    last, widened = ("relu" if minimalistic else "hard_swish"), divisible(6 * divisible(rows[-1][2] * alpha))
    return Architecture(
        prestem=Part(normalize),
        stem=Part(convolve, filters=16, kernel_size=3, strides=2, activation=last),
        learner=(
            *_grouped([_block(row, alpha, minimalistic=minimalistic) for row in rows]),
            Part(convolve, filters=widened, activation=last),
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
        stem=Part(convolve, filters=Choice((8, 16)), kernel_size=3, strides=2, activation="hard_swish"),
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
                for f, b, activation in _OPEN_GROUPS
            ),
            Part(convolve, filters=Choice((480, 960)), activation="hard_swish"),
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
