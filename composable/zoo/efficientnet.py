"""EfficientNet: depth, width and resolution grow together.

Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", arXiv:1905.11946,
table 1; the coefficients of B1 to B7 are those of its reference code.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import divisible, gated, mobile_conv, mobile_depthwise
from composable.design.learners import drop_branch, stochastic_depth_group, stochastic_depth_groups
from composable.design.metaparameters import Count, Rate, checked
from composable.design.stems import rescale
from composable.design.tasks import classifier

FILTERS = (16, 24, 40, 80, 112, 192, 320)  # table 1
BLOCKS = (1, 2, 2, 3, 3, 4, 1)
KERNELS = (3, 3, 5, 3, 5, 5, 3)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)
Coefficient = Annotated[float, Field(gt=0)]


@component
def mbconv(
    x: Any,
    *,
    filters: Count,
    strides: Count = 1,
    kernel_size: Count = 3,
    expansion: Count = 6,
    drop_rate: Rate = 0.0,
) -> Any:
    """An inverted block, its wide channels gated through a quarter of the narrow ones.

    Args:
        x: Feature maps.
        filters: Channels of what it gives.
        strides: Of the depthwise convolution.
        kernel_size: Of the depthwise convolution.
        expansion: How many times wider the block is within.
        drop_rate: How often the branch is dropped while training.
    """
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        x = mobile_conv(x, channels * expansion, activation="swish")
    x = mobile_depthwise(x, kernel_size, strides, "swish")
    x = gated(x, max(1, channels // 4), "swish", "sigmoid")
    x = mobile_conv(x, filters)
    return layers.Add()([shortcut, drop_branch(x, drop_rate)]) if strides == 1 and channels == filters else x


@checked
def efficientnet(
    *,
    width: Coefficient = 1.0,
    depth: Coefficient = 1.0,
    classes: Count = 1000,
    filters: tuple[Count, ...] = FILTERS,
    blocks: tuple[Count, ...] = BLOCKS,
    dropout: Rate = 0.2,
    stochastic_depth: Rate = 0.2,
) -> Architecture:
    """EfficientNet; its normalization of pixels does nothing before it is adapted to the training images.

    Args:
        width: All widths are multiplied by it, to the nearest multiple of eight.
        depth: The blocks of every group are multiplied by it, and rounded up.
        classes: How many there are.
        filters: Per group, up to seven; the stem has twice the first, the convolution after them four times
            the last.
        blocks: Per group.
        dropout: Before the scores.
        stochastic_depth: How often the last block's branch is dropped while training, nearly.
    """
    kinds = tuple(Part(mbconv, kernel_size=k, expansion=e) for k, e in zip(KERNELS, EXPANSIONS, strict=True))
    repeated = tuple(math.ceil(depth * b) for b in blocks)
    last = divisible(4 * filters[-1] * width)
    return Architecture(
        prestem=(Part(rescale), Part(layers.Normalization)),
        stem=Part(
            mobile_conv,
            filters=divisible(2 * filters[0] * width),
            kernel_size=3,
            strides=2,
            activation="swish",
        ),
        learner=(
            *stochastic_depth_groups(
                kinds[: len(filters)],
                filters=tuple(divisible(f * width) for f in filters),
                blocks=repeated,
                strides=STRIDES[: len(filters)],
                step=stochastic_depth / sum(repeated),
            ),
            Part(mobile_conv, filters=last, activation="swish"),
        ),
        tasks=Part(classifier, classes=classes, dropout=dropout),
    )


@checked
def efficientnet_space(*, classes: Count = 1000) -> Architecture:
    """Kernel, expansion, depth and width of every group: what B0 was found in."""
    block = Part(mbconv, kernel_size=Choice((3, 5)), expansion=Choice((3, 6)))
    return Architecture(
        prestem=(Part(rescale), Part(layers.Normalization)),
        stem=Part(mobile_conv, filters=Choice((16, 32)), kernel_size=3, strides=2, activation="swish"),
        learner=(
            *(
                Part(
                    stochastic_depth_group,
                    block=block,
                    filters=Choice((f // 2, f)),
                    blocks=Between(1, b),
                    strides=s,
                )
                for f, b, s in zip(FILTERS[1:6], (2, 2, 3, 3, 4), STRIDES[1:6], strict=True)
            ),
            Part(mobile_conv, filters=Choice((320, 640, 1280)), activation="swish"),
        ),
        tasks=Part(classifier, classes=classes, dropout=Between(0.0, 0.5)),
    )
