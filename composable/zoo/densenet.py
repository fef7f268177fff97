"""DenseNet: every layer sees what all layers before it in its group have made.

Huang, Liu, van der Maaten & Weinberger 2017, "Densely Connected Convolutional Networks", arXiv:1608.06993,
table 1 (DenseNet-BC).
"""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import conv, conv_norm, max_pool, norm
from composable.design.metaparameters import Count, Counts, Rate, checked
from composable.design.tasks import classifier

BLOCKS = {  # table 1; 161 is in the paper's first versions, with a growth of 48
    121: (6, 12, 24, 16),
    161: (6, 12, 36, 24),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
    264: (6, 12, 64, 48),
}
Share = Annotated[float, Field(gt=0, le=1)]


@component
def dense_block(x: Any, *, growth: Count = 32, dropout: Rate = 0.0) -> Any:
    """`growth` new channels beside those it is given: 1x1 to four times as many, then 3x3 (section 3)."""
    y = norm(x, "relu")
    y = conv_norm(y, 4 * growth, 1)
    y = conv(y, growth, 3)
    y = layers.Dropout(dropout)(y) if dropout else y
    return layers.Concatenate()([x, y])


@component
def dense_group(x: Any, *, blocks: Count, growth: Count = 32, dropout: Rate = 0.0) -> Any:
    """Blocks of one image size: the paper's dense block (figure 1)."""
    for _ in range(blocks):
        x = dense_block(x, growth=growth, dropout=dropout)
    return x


@component
def transition(x: Any, *, reduction: Share = 0.5) -> Any:
    """Between groups: fewer channels, and the image halved."""
    x = norm(x, "relu")
    x = conv(x, max(1, int(x.shape[-1] * reduction)), 1)
    return layers.AveragePooling2D(2)(x)


@checked
def densenet(
    *,
    depth: Literal[121, 161, 169, 201, 264] = 121,
    growth: Count = 32,
    classes: Count = 1000,
    blocks: Counts | None = None,
    reduction: Share = 0.5,
    dropout: Rate = 0.0,
) -> Architecture:
    """DenseNet for large images.

    Args:
        depth: Layers with weights, as published.
        growth: Channels that every block adds; the stem has twice as many. The paper's k.
        classes: How many there are.
        blocks: Per group, instead of those of `depth`.
        reduction: The share of channels that pass from group to group; the paper's theta.
        dropout: In every block.
    """
    learner = _with_transitions(
        [Part(dense_group, blocks=b, growth=growth, dropout=dropout) for b in blocks or BLOCKS[depth]],
        Part(transition, reduction=reduction),
    )
    return Architecture(
        stem=(Part(conv_norm, filters=2 * growth, kernel_size=7, strides=2), Part(max_pool)),
        learner=learner,
        tasks=Part(classifier, classes=classes),
    )


@checked
def densenet_space(*, classes: Count = 1000) -> Architecture:
    """The depth of every group; one growth, one reduction and one dropout for all."""
    growth = Choice((8, 12, 16, 24, 32), name="growth")
    dropout = Between(0.0, 0.3, name="dropout")
    learner = _with_transitions(
        [Part(dense_group, blocks=Between(1, b), growth=growth, dropout=dropout) for b in (4, 6, 8, 6)],
        Part(transition, reduction=Between(0.3, 0.8, name="reduction")),
    )
    return Architecture(
        stem=(Part(conv_norm, filters=Choice((16, 32, 64)), kernel_size=7, strides=2), Part(max_pool)),
        learner=learner,
        tasks=Part(classifier, classes=classes),
    )


def _with_transitions(dense_groups: list[Part], between: Part) -> tuple[Part, ...]:
    """A transition after each group but the last, which a normalization follows."""
    joined = chain.from_iterable((each, between) for each in dense_groups[:-1])
    return (*joined, dense_groups[-1], Part(norm, activation="relu"))
