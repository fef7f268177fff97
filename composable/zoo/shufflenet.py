"""ShuffleNet: 1x1 convolutions in groups of channels, which are shuffled so that groups hear of each other.

Zhang, Zhou, Lin & Sun 2017, "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile
Devices", arXiv:1707.01083, table 1.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import conv_norm, max_pool, norm
from composable.design.learners import group
from composable.design.metaparameters import Count, checked, paired
from composable.design.tasks import classifier

WIDTHS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}  # table 1: of the first group, which later ones double
BLOCKS = (4, 8, 4)
# Of the search space: each more than any before, for units that stride add channels.
_OPEN_WIDTHS = ((96, 192), (288, 384), (576, 768))


@component
def unit(x: Any, *, filters: Count, strides: Count = 1, groups: Count = 3, first: bool = False) -> Any:
    """1x1 in groups, shuffle, 3x3 in every channel, 1x1 in groups: added to what it was given (figure 2b).

    Where it strides the result comes beside what it was given, and has only the channels that are missing
    (figure 2c).

    Args:
        x: Feature maps.
        filters: Channels of what it gives.
        strides: Of the depthwise convolution.
        groups: Of channels, in the 1x1 convolutions.
        first: Whether the first convolution isn't grouped: the stem gives few channels.

    Raises:
        ValueError: If there aren't more channels where the unit strides, or not as many where it doesn't.
    """
    channels = x.shape[-1]
    if (channels >= filters) if strides > 1 else (channels != filters):
        raise ValueError(f"A unit can't make {filters} channels of {channels} with strides of {strides}.")
    inner = max(1, round(filters / 4 / groups)) * groups  # a quarter, of a size that has groups
    branch = conv_norm(x, inner, 1, groups=1 if first else groups)
    branch = _shuffled(branch, groups) if groups > 1 else branch
    branch = norm(layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)(branch))
    lacking = filters - channels if strides > 1 else filters
    branch = conv_norm(branch, lacking, 1, activation=None, groups=groups)
    if strides == 1:
        return layers.ReLU()(layers.Add()([x, branch]))
    shortcut = layers.AveragePooling2D(3, strides, padding="same")(x)
    return layers.ReLU()(layers.Concatenate()([shortcut, branch]))


def _shuffled(x: Any, groups: int) -> Any:
    """Every group's first channel, then every group's second, and so on (figure 1c)."""
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height, width, groups, channels // groups))(x)
    x = layers.Permute((1, 2, 4, 3))(x)
    return layers.Reshape((height, width, channels))(x)


@checked
def shufflenet(
    *,
    groups: Literal[1, 2, 3, 4, 8] = 3,
    scale: Annotated[float, Field(gt=0)] = 1.0,
    classes: Count = 1000,
    stem_filters: Count | None = None,
    filters: tuple[Count, ...] | None = None,
    blocks: tuple[Annotated[int, Field(ge=2)], ...] = BLOCKS,
) -> Architecture:
    """ShuffleNet, version 1.

    Args:
        groups: Of channels, in the 1x1 convolutions; more groups, more channels for the same work.
        scale: All widths are multiplied by it.
        classes: How many there are.
        stem_filters: None for 24, scaled, and up to what `groups` divides.
        filters: Per group of units, before scaling, instead of those of `groups`.
        blocks: Per group of units; the first one halves the image.

    Raises:
        ConfigError: If `filters` and `blocks` aren't as many.
    """
    widths = filters or tuple(WIDTHS[groups] * 2**number for number in range(len(blocks)))
    few = stem_filters or math.ceil(24 * scale / groups) * groups
    return Architecture(
        stem=(Part(conv_norm, filters=few, kernel_size=3, strides=2), Part(max_pool)),
        learner=tuple(
            _units(int(f * scale), b - 1, groups, first=number == 0)
            for number, (f, b) in enumerate(paired(filters=widths, blocks=blocks))
        ),
        tasks=Part(classifier, classes=classes),
    )


@checked
def shufflenet_space(*, classes: Count = 1000) -> Architecture:
    """How many groups of channels, and the depth and width of every group of units."""
    split = Choice((1, 2, 4, 8), name="groups")
    return Architecture(
        stem=(Part(conv_norm, filters=Choice((8, 16, 24)), kernel_size=3, strides=2), Part(max_pool)),
        learner=tuple(
            _units(Choice(widths, name=f"width_{number}"), Between(1, b - 1), split, first=number == 0)
            for number, (widths, b) in enumerate(zip(_OPEN_WIDTHS, BLOCKS, strict=True))
        ),
        tasks=Part(classifier, classes=classes),
    )


def _units(filters: int | Open, repeated: int | Open, split: int | Open, *, first: bool) -> tuple[Part, ...]:
    """The unit that strides, and those that don't."""
    return (
        Part(unit, filters=filters, strides=2, groups=split, first=first),
        Part(group, block=Part(unit, groups=split), filters=filters, blocks=repeated, strides=1),
    )
