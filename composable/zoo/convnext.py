"""ConvNeXt: a convolutional network with everything that vision transformers had taught.

Liu, Mao, Wu, Feichtenhofer, Darrell & Xie 2022, "A ConvNet for the 2020s", arXiv:2201.03545, figure 4 and
table 9; stochastic depth as in table 5.
"""

from __future__ import annotations

from typing import Annotated, Any

from keras import initializers, layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.learners import drop_branch, stochastic_depth_group, stochastic_depth_groups
from composable.design.metaparameters import Count, Rate, checked
from composable.design.stems import standardize
from composable.design.tasks import classifier

EPSILON = 1e-6
MEAN = (123.675, 116.28, 103.53)  # of ImageNet's pixels
DEVIATION = (58.395, 57.12, 57.375)
FILTERS = (96, 192, 384, 768)  # the tiny one
BLOCKS = (3, 3, 9, 3)
Scale = Annotated[float, Field(gt=0)]


@component
def patchify(x: Any, *, filters: Count = 96, patch: Count = 4) -> Any:
    """Squares of pixels that don't overlap, each as `filters` channels."""
    return _normed(layers.Conv2D(filters, patch, strides=patch, kernel_initializer=_small())(x))


@component
def block(
    x: Any, *, filters: Count, strides: Count = 1, scale: Scale | None = 1e-6, drop_rate: Rate = 0.0
) -> Any:
    """7x7 in every channel, then a wide and a narrow layer in every position (figure 4, right).

    Args:
        x: Feature maps.
        filters: Channels of what it gives.
        strides: Above 1 the maps are shrunk before the block.
        scale: What the branch's learned factor per channel begins with; None for no factor.
        drop_rate: How often the branch is dropped while training.
    """
    if strides > 1 or x.shape[-1] != filters:
        x = layers.Conv2D(filters, strides, strides, kernel_initializer=_small())(_normed(x))
    branch = layers.DepthwiseConv2D(7, padding="same", depthwise_initializer=_small())(x)
    branch = layers.Dense(4 * filters, activation="gelu", kernel_initializer=_small())(_normed(branch))
    branch = layers.Dense(filters, kernel_initializer=_small())(branch)
    branch = _scaled(branch, scale) if scale else branch
    return layers.Add()([x, drop_branch(branch, drop_rate)])


@component
def normed_average(x: Any) -> Any:
    """The average of the maps, normalized."""
    return _normed(layers.GlobalAveragePooling2D()(x))


@checked
def convnext(
    *,
    classes: Count = 1000,
    filters: tuple[Count, ...] = FILTERS,
    blocks: tuple[Count, ...] = BLOCKS,
    patch: Count = 4,
    scale: Scale | None = 1e-6,
    stochastic_depth: Rate = 0.1,
) -> Architecture:
    """ConvNeXt.

    Args:
        classes: How many there are.
        filters: Per group.
        blocks: Per group; every group but the first halves the maps.
        patch: The side of the stem's squares; 4 for photos, less for small images.
        scale: What the learned factors of the branches begin with; None for none.
        stochastic_depth: How often the last block's branch is dropped while training.
    """
    return Architecture(
        prestem=Part(standardize, mean=MEAN, deviation=DEVIATION),
        stem=Part(patchify, filters=filters[0], patch=patch),
        learner=stochastic_depth_groups(
            Part(block, scale=scale),
            filters=filters,
            blocks=blocks,
            step=stochastic_depth / max(1, sum(blocks) - 1),
        ),
        tasks=Part(classifier, classes=classes, pool=normed_average),
    )


@checked
def convnext_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group, the size of the patches and of the first factors."""
    kind = Part(block, scale=Choice((1e-6, 1.0, None), name="scale"))
    return Architecture(
        prestem=Part(standardize, mean=MEAN, deviation=DEVIATION),
        stem=Part(patchify, filters=Choice((24, 48, 96)), patch=Choice((1, 2, 4))),
        learner=tuple(
            Part(
                stochastic_depth_group,
                block=kind,
                filters=Choice((f // 4, f // 2, f)),
                blocks=Between(1, b),
                strides=s,
            )
            for f, b, s in zip(FILTERS, BLOCKS, (1, 2, 2, 2), strict=True)
        ),
        tasks=Part(classifier, classes=classes, pool=normed_average, dropout=Between(0.0, 0.3)),
    )


def _normed(x: Any) -> Any:
    return layers.LayerNormalization(epsilon=EPSILON)(x)


def _scaled(x: Any, scale: float) -> Any:
    """A learned factor per channel."""
    first: Any = initializers.Constant(scale)
    return layers.EinsumDense("...c,c->...c", x.shape[-1], kernel_initializer=first)(x)


def _small() -> Any:
    """Of the paper's deviation, 0.02; uniform values are drawn in half the time that normal ones take."""
    return initializers.RandomUniform(-0.02 * 3**0.5, 0.02 * 3**0.5)
