"""Xception: Inception taken to its limit, where every channel is convolved by itself.

Chollet 2016, "Xception: Deep Learning with Depthwise Separable Convolutions", arXiv:1610.02357, figure 5.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.tasks import classifier


@component
def stem(x: Any, *, filters: tuple[Count, Count] = (32, 64)) -> Any:
    """Two 3x3 convolutions; the first keeps every second position."""
    for each, strides in zip(filters, (2, 1), strict=True):
        x = layers.Conv2D(each, 3, strides, use_bias=False, kernel_initializer=INITIALIZER)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    return x


@component
def halving(
    x: Any, *, filters: Count, widens: Literal["first", "second"] = "first", rectified: bool = True
) -> Any:
    """Two separable convolutions and a pooling, beside a 1x1 convolution: entry flow, and exit flow.

    Args:
        x: Feature maps.
        filters: After the block.
        widens: Which of the two goes to that many: the first in the entry flow, the second in the exit flow.
        rectified: Whether ReLU comes first; the very first block gets what ReLU has just given.
    """
    shortcut = layers.Conv2D(filters, 1, strides=2, use_bias=False, kernel_initializer=INITIALIZER)(x)
    shortcut = layers.BatchNormalization()(shortcut)
    between = filters if widens == "first" else x.shape[-1]
    x = layers.ReLU()(x) if rectified else x
    x = _separable(x, between)
    x = _separable(layers.ReLU()(x), filters)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return layers.Add()([x, shortcut])


@component
def middle(x: Any) -> Any:
    """Three separable convolutions that add to what they are given: middle flow."""
    y = x
    for _ in range(3):
        y = _separable(layers.ReLU()(y), x.shape[-1])
    return layers.Add()([y, x])


@component
def middles(x: Any, *, blocks: Count) -> Any:
    """The middle flow: so many of its blocks."""
    for _ in range(blocks):
        x = middle(x)
    return x


@component
def widening(x: Any, *, filters: tuple[Count, ...]) -> Any:
    """Separable convolutions to more channels: the end of the exit flow."""
    for each in filters:
        x = layers.ReLU()(_separable(x, each))
    return x


def _separable(x: Any, filters: int) -> Any:
    return layers.BatchNormalization()(layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x))


@checked
def xception(
    *,
    classes: Count = 1000,
    stem_filters: tuple[Count, Count] = (32, 64),
    entry: tuple[Count, ...] = (128, 256, 728),
    blocks: Count = 8,
    exit_filters: tuple[Count, Count, Count] = (1024, 1536, 2048),
    dropout: Rate = 0.5,
) -> Architecture:
    """Xception.

    Args:
        classes: How many there are.
        stem_filters: Of the two plain convolutions.
        entry: Filters of each block of the entry flow, which all halve the image.
        blocks: Of the middle flow.
        exit_filters: Of the exit flow: of the block that halves, then of the last two convolutions.
        dropout: Before the scores.
    """
    halved, *widened = exit_filters
    return Architecture(
        stem=Part(stem, filters=stem_filters),
        learner=(
            tuple(Part(halving, filters=f, rectified=number > 0) for number, f in enumerate(entry)),
            Part(middles, blocks=blocks),
            (
                Part(halving, filters=halved, widens="second"),
                Part(widening, filters=tuple(widened)),
            ),
        ),
        tasks=Part(classifier, classes=classes, dropout=dropout),
    )


@checked
def xception_space(*, classes: Count = 1000) -> Architecture:
    """The widths of the entry flow and the exit flow, and the depth of the middle flow."""
    return Architecture(
        stem=Part(stem, filters=Choice(((16, 32), (32, 64)))),
        learner=(
            Part(halving, filters=Choice((64, 128)), rectified=False),
            Part(halving, filters=Choice((128, 256))),
            Part(halving, filters=Choice((256, 512, 728))),
            Part(middles, blocks=Between(1, 12)),
            Part(halving, filters=Choice((512, 1024)), widens="second"),
            Part(widening, filters=Choice(((768, 1024), (1536, 2048)))),
        ),
        tasks=Part(classifier, classes=classes, dropout=Between(0.0, 0.5)),
    )
