"""ResNeXt: blocks of many narrow paths side by side (their number is the cardinality).

Xie, Girshick, Dollar, Tu & He 2017, "Aggregated Residual Transformations for Deep Neural Networks",
arXiv:1611.05431, figure 3c and table 1; for small images section 5.2.
"""

from __future__ import annotations

from typing import Any, Literal

from composable.core.errors import ConfigError
from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import add_shortcut, conv_norm, max_pool
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, Counts, checked
from composable.design.tasks import classifier

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # as ResNet's
FILTERS = (256, 512, 1024, 2048)


@component
def bottleneck(
    x: Any, *, filters: Count, strides: Count = 1, cardinality: Count = 32, width: Count = 4
) -> Any:
    """1x1, a 3x3 convolution on every path for itself, 1x1: figure 3c.

    Args:
        x: Feature maps.
        filters: What the block gives.
        strides: Of the 3x3.
        cardinality: How many paths.
        width: Channels on each path.
    """
    y = conv_norm(x, cardinality * width, 1)
    y = conv_norm(y, cardinality * width, 3, strides, groups=cardinality)
    y = conv_norm(y, filters, 1, activation=None)
    return add_shortcut(x, y, strides)


@checked
def resnext(
    *,
    depth: Literal[50, 101, 152] = 50,
    classes: Count = 1000,
    cardinality: Count = 32,
    width: Count = 4,
    blocks: Counts | None = None,
    filters: Counts = FILTERS,
) -> Architecture:
    """ResNeXt for large images.

    Args:
        depth: Layers with weights, as published.
        classes: How many there are.
        cardinality: Paths in a block.
        width: Channels on each path of the first group; doubled from group to group.
        blocks: Per group, instead of those of `depth`.
        filters: What the blocks of each group give; the stem a quarter of the first.
    """
    return Architecture(
        stem=(
            Part(conv_norm, filters=max(1, filters[0] // 4), kernel_size=7, strides=2),
            Part(max_pool),
        ),
        learner=_learner(cardinality, width, filters, blocks or BLOCKS[depth]),
        tasks=Part(classifier, classes=classes),
    )


@checked
def resnext_cifar(
    *,
    depth: Count = 29,
    classes: Count = 10,
    cardinality: Count = 8,
    width: Count = 64,
    blocks: Counts | None = None,
    filters: Counts = FILTERS[:3],
) -> Architecture:
    """ResNeXt for small images (CIFAR-10: 32x32).

    Args:
        depth: Layers with weights: 9 for every n, and 2; n blocks in each of three groups.
        classes: How many there are.
        cardinality: Paths in a block.
        width: Channels on each path of the first group; doubled from group to group.
        blocks: Per group, instead of those of `depth`.
        filters: What the blocks of each group give; the stem a quarter of the first.

    Raises:
        ConfigError: If no number of blocks gives that depth.
    """
    number, left = divmod(depth - 2, 9)
    if blocks is None and (number < 1 or left):
        raise ConfigError(
            "The depth is 9 for every block that each of the three groups has, and 2.",
            received=f"depth={depth}",
            remedy="for example 20 or 29; or give blocks=...",
        )
    return Architecture(
        stem=Part(conv_norm, filters=max(1, filters[0] // 4), kernel_size=3),
        learner=_learner(cardinality, width, filters, blocks or (number,) * 3),
        tasks=Part(classifier, classes=classes),
    )


@checked
def resnext_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group, and one cardinality for all."""
    return Architecture(
        stem=(Part(conv_norm, filters=Choice((32, 64)), kernel_size=7, strides=2), Part(max_pool)),
        learner=_open_groups(FILTERS, (1, 2, 2, 2)),
        tasks=Part(classifier, classes=classes),
    )


@checked
def resnext_cifar_space(*, classes: Count = 10) -> Architecture:
    """Depth and width of every group, and one cardinality for all."""
    return Architecture(
        stem=Part(conv_norm, filters=Choice((16, 32, 64)), kernel_size=3),
        learner=_open_groups(FILTERS[:3], (1, 2, 2)),
        tasks=Part(classifier, classes=classes),
    )


def _learner(
    cardinality: int, width: int, filters: tuple[int, ...], blocks: tuple[int, ...]
) -> tuple[Part, ...]:
    paths = tuple(
        Part(bottleneck, cardinality=cardinality, width=width * 2**number) for number in range(len(filters))
    )
    return groups(paths, filters=filters, blocks=blocks)


def _open_groups(filters: tuple[int, ...], strides: tuple[int, ...]) -> tuple[Part, ...]:
    cardinality = Choice((4, 8, 16, 32), name="cardinality")
    return tuple(
        Part(
            group,
            block=Part(bottleneck, cardinality=cardinality, width=Choice((f // 64, f // 32))),
            filters=Choice((f // 2, f)),
            blocks=Between(1, 4),
            strides=s,
        )
        for f, s in zip(filters, strides, strict=True)
    )
