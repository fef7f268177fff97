"""ResNet for small images (CIFAR-10: 32x32): version 1, version 2, which normalizes first, and wide (WRN).

Version 1: He, Zhang, Ren & Sun 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385,
section 4.2. Version 2: the same 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027,
section 4, with the strides of the authors' code. Wide instead of deep: Zagoruyko & Komodakis 2016, "Wide
Residual Networks", arXiv:1605.07146, table 1 and figure 1d.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.core.errors import ConfigError
from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import conv, conv_norm, norm
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, Counts, Rate, checked
from composable.design.part import Component
from composable.design.tasks import classifier

FILTERS = (16, 32, 64)


@component
def basic(x: Any, *, filters: Count, strides: Count = 1) -> Any:
    """Two 3x3 convolutions, added to what they are given; no shortcut has weights (option A)."""
    y = conv_norm(x, filters, 3, strides)
    y = conv_norm(y, filters, 3, activation=None)
    return layers.ReLU()(layers.Add()([_padded(x, filters, strides), y]))


@component
def bottleneck_v2(x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 4) -> Any:
    """1x1 to fewer channels, 3x3, 1x1 to more, each after a normalization and ReLU; the first strides."""
    normed = norm(x, "relu")
    y = conv_norm(normed, filters, 1, strides)
    y = conv_norm(y, filters, 3)
    y = conv(y, filters * expansion, 1)
    if strides > 1 or x.shape[-1] != y.shape[-1]:
        x = conv(normed, y.shape[-1], 1, strides)
    return layers.Add()([x, y])


def _padded(x: Any, filters: int, strides: int) -> Any:
    """`x` itself; where the shape changes, the pixels that strides meet, with zeros for the new channels."""
    new = filters - x.shape[-1]
    if new < 0:
        raise ValueError(f"{x.shape[-1]} channels can be padded with zeros to more, not to {filters}.")
    x = layers.MaxPooling2D(1, strides)(x) if strides > 1 else x
    return ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, new))) if new else x


@checked
def resnet_cifar(
    *,
    depth: Count = 20,
    classes: Count = 10,
    block: Component | Open = basic,
    blocks: Counts | None = None,
    filters: Counts = FILTERS,
) -> Architecture:
    """ResNet for small images.

    Args:
        depth: Layers with weights: 6 for every n, and 2; n blocks in each of three groups.
        classes: How many there are.
        block: Any function of `filters` and `strides`.
        blocks: Per group, instead of those of `depth`.
        filters: Per group.

    Raises:
        ConfigError: If no number of blocks gives that depth.
    """
    return Architecture(
        stem=Part(conv_norm, filters=filters[0], kernel_size=3),
        learner=groups(block, filters=filters, blocks=blocks or _blocks(depth, 6)),
        tasks=Part(classifier, classes=classes),
    )


@checked
def resnet_cifar_v2(
    *,
    depth: Count = 20,
    classes: Count = 10,
    block: Component | Open = bottleneck_v2,
    blocks: Counts | None = None,
    filters: Counts = FILTERS,
) -> Architecture:
    """ResNet version 2 for small images.

    Args:
        depth: Layers with weights: 9 for every n, and 2; n blocks in each of three groups.
        classes: How many there are.
        block: Any function of `filters` and `strides`.
        blocks: Per group, instead of those of `depth`.
        filters: Per group, before the expansion.

    Raises:
        ConfigError: If no number of blocks gives that depth.
    """
    return Architecture(
        stem=Part(conv, filters=filters[0], kernel_size=3),
        learner=(
            *groups(block, filters=filters, blocks=blocks or _blocks(depth, 9)),
            Part(norm, activation="relu"),
        ),
        tasks=Part(classifier, classes=classes),
    )


@checked
def resnet_cifar_space(*, classes: Count = 10) -> Architecture:
    """Depth and width of every group."""
    return _space(Part(conv_norm, filters=Choice((8, 16)), kernel_size=3), Part(basic), (), classes)


@checked
def resnet_cifar_v2_space(*, classes: Count = 10) -> Architecture:
    """Depth and width of every group, and one expansion for all."""
    block = Part(bottleneck_v2, expansion=Choice((1, 2, 4), name="expansion"))
    stem = Part(conv, filters=Choice((8, 16)), kernel_size=3)
    return _space(stem, block, (Part(norm, activation="relu"),), classes)


def _space(stem: Part, block: Part, last: tuple[Part, ...], classes: int) -> Architecture:
    return Architecture(
        stem=stem,
        learner=(
            *(
                Part(group, block=block, filters=Choice((f, 2 * f)), blocks=Between(1, 9), strides=s)
                for f, s in zip(FILTERS, (1, 2, 2), strict=True)
            ),
            *last,
        ),
        tasks=Part(classifier, classes=classes),
    )


def _blocks(depth: int, layers_per_round: int) -> tuple[int, int, int]:
    """Blocks per group, where one more in each group adds so many layers."""
    number, left = divmod(depth - 2, layers_per_round)
    if number < 1 or left:
        raise ConfigError(
            f"The depth is {layers_per_round} for every block that each of the three groups has, and 2.",
            received=f"depth={depth}",
            remedy=f"for example {2 + 3 * layers_per_round}; or give blocks=...",
        )
    return number, number, number


@component
def wide(x: Any, *, filters: Count, strides: Count = 1, dropout: Rate = 0.0) -> Any:
    """Two 3x3 convolutions, each after a normalization and ReLU, with dropout between (figure 1d)."""
    normed = norm(x, "relu")
    y = conv_norm(normed, filters, 3, strides)
    y = layers.Dropout(dropout)(y) if dropout else y
    y = conv(y, filters, 3)
    if strides > 1 or x.shape[-1] != filters:
        x = conv(normed, filters, 1, strides)
    return layers.Add()([x, y])


@checked
def wrn(
    *,
    depth: Count = 28,
    width: Count = 10,
    dropout: Rate = 0.0,
    classes: Count = 10,
    blocks: Counts | None = None,
    filters: Counts = FILTERS,
) -> Architecture:
    """WRN-depth-width for small images.

    Args:
        depth: Convolutions: 6 for every n, and 4; n blocks in each of three groups.
        width: How many times the filters of a narrow network; the paper's k.
        dropout: Between the convolutions of a block.
        classes: How many there are.
        blocks: Per group, instead of those of `depth`.
        filters: Per group, at width 1; the stem has the first number.

    Raises:
        ConfigError: If no number of blocks gives that depth.
    """
    number, left = divmod(depth - 4, 6)
    if blocks is None and (number < 1 or left):
        raise ConfigError(
            "The depth is 6 for every block that each of the three groups has, and 4.",
            received=f"depth={depth}",
            remedy="for example 16, 28 or 40; or give blocks=...",
        )
    widths = tuple(width * f for f in filters)
    return Architecture(
        stem=Part(conv, filters=filters[0], kernel_size=3),
        learner=(
            *groups(Part(wide, dropout=dropout), filters=widths, blocks=blocks or (number,) * 3),
            Part(norm, activation="relu"),
        ),
        tasks=Part(classifier, classes=classes),
    )


@checked
def wrn_space(*, classes: Count = 10) -> Architecture:
    """Depth and width of every group, and one dropout for all."""
    block = Part(wide, dropout=Between(0.0, 0.5, name="dropout"))
    return Architecture(
        stem=Part(conv, filters=16, kernel_size=3),
        learner=(
            *(
                Part(
                    group,
                    block=block,
                    filters=Choice(tuple(f * k for k in (1, 2, 4, 8))),
                    blocks=Between(1, 4),
                    strides=s,
                )
                for f, s in zip(FILTERS, (1, 2, 2), strict=True)
            ),
            Part(norm, activation="relu"),
        ),
        tasks=Part(classifier, classes=classes),
    )
