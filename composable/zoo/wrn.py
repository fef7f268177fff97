"""WRN: residual networks that are wide instead of deep.

Zagoruyko & Komodakis 2016, "Wide Residual Networks", arXiv:1605.07146, table 1 and figure 1d.
For small images (CIFAR-10: 32x32).
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.core.errors import ConfigError
from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import conv, conv_norm, norm
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, Counts, Rate, checked
from composable.design.tasks import classifier

FILTERS = (16, 32, 64)  # table 1, at width 1


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
