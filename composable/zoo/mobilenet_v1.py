"""MobileNet: convolutions in two steps, every channel by itself and then across channels.

Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
arXiv:1704.04861, table 1; its width multiplier is `alpha`, its resolution multiplier the input's size.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, Rate, checked
from composable.design.mobile import convolve, depthwise
from composable.design.tasks import classifier

FILTERS = (64, 128, 256, 512, 1024)  # table 1
BLOCKS = (1, 2, 2, 6, 2)


@component
def separable(x: Any, *, filters: Count, strides: Count = 1) -> Any:
    """3x3 in every channel, then 1x1 across channels (figure 3, right)."""
    x = depthwise(x, 3, strides, "relu6")
    return convolve(x, filters, activation="relu6")


@checked
def mobilenet_v1(
    *,
    alpha: Annotated[float, Field(gt=0)] = 1.0,
    classes: Count = 1000,
    filters: tuple[Count, ...] = FILTERS,
    blocks: tuple[Count, ...] = BLOCKS,
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
        stem=Part(convolve, filters=stem, kernel_size=3, strides=2, activation="relu6"),
        learner=groups(Part(separable), filters=tuple(widths), blocks=blocks),
        tasks=Part(classifier, classes=classes, dropout=dropout),
    )


@checked
def mobilenet_v1_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group."""
    return Architecture(
        stem=Part(convolve, filters=Choice((8, 16, 32)), kernel_size=3, strides=2, activation="relu6"),
        learner=tuple(
            Part(group, block=separable, filters=Choice((f // 4, f // 2, f)), blocks=Between(1, b), strides=s)
            for f, b, s in zip(FILTERS, (2, 2, 2, 6, 2), (1, 2, 2, 2, 2), strict=True)
        ),
        tasks=Part(classifier, classes=classes, dropout=Between(0.0, 0.3)),
    )
