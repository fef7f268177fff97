"""Inception: convolutions of several sizes side by side.

Szegedy et al. 2014, "Going Deeper with Convolutions", arXiv:1409.4842, table 1 (version 1, GoogLeNet).
Version 2 normalizes batches: Ioffe & Szegedy 2015, arXiv:1502.03167, in the form that torchvision's GoogLeNet
has, which also makes the 5x5 convolutions 3x3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from keras import layers

from composable.core.errors import ConfigError
from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.layers import INITIALIZER, conv, response_norm
from composable.design.metaparameters import Count, Rate, checked
from composable.design.part import Component
from composable.design.taps import tapped
from composable.design.tasks import classifier

Pair = tuple[Count, Count]
Row = tuple[Count, Pair, Pair, Count]
"""A row of table 1: 1x1; 3x3 reduced and 3x3; 5x5 reduced and 5x5; pooling projected."""

GROUPS = (
    ((64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)),
    (
        (192, (96, 208), (16, 48), 64),
        (160, (112, 224), (24, 64), 64),
        (128, (128, 256), (24, 64), 64),
        (112, (144, 288), (32, 64), 64),
        (256, (160, 320), (32, 128), 128),
    ),
    ((256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)),
)
AUXILIARY = {(1, 0): "inception_4a", (1, 3): "inception_4d"}  # group and module -> what its tap is called


@component
def plain(x: Any, *, filters: Count, kernel_size: Count, strides: Count = 1) -> Any:
    """Convolution and ReLU: version 1."""
    return layers.ReLU()(conv(x, filters, kernel_size, strides, use_bias=True))


@component
def normalized(x: Any, *, filters: Count, kernel_size: Count, strides: Count = 1) -> Any:
    """Convolution, batch normalization and ReLU: version 2."""
    x = conv(x, filters, kernel_size, strides)
    return layers.ReLU()(layers.BatchNormalization()(x))


@component
def stem(
    x: Any,
    *,
    filters: tuple[Count, Count, Count] = (64, 64, 192),
    convolution: Component = plain,
    respond: bool = True,
) -> Any:
    """Three convolutions and two poolings: 224x224 to 28x28; `respond` adds local response normalization."""
    x = convolution(x, filters=filters[0], kernel_size=7, strides=2)
    x = halved(x)
    x = response_norm(x) if respond else x
    x = convolution(x, filters=filters[1], kernel_size=1)
    x = convolution(x, filters=filters[2], kernel_size=3)
    x = response_norm(x) if respond else x
    return halved(x)


@component
def halved(x: Any) -> Any:
    """A pooling that halves the image."""
    return layers.MaxPooling2D(3, strides=2, padding="same")(x)


@component
def module(
    x: Any,
    *,
    one: Count,
    three: Pair,
    five: Pair,
    pool: Count,
    convolution: Component = plain,
    largest: Literal[3, 5] = 5,
) -> Any:
    """Four branches side by side (figure 2b).

    Args:
        x: Feature maps.
        one: Filters of the 1x1 convolution.
        three: Of the 1x1 and the 3x3 after it.
        five: Of the 1x1 and the largest one after it.
        pool: Of the 1x1 after the pooling.
        convolution: Takes `filters` and `kernel_size`.
        largest: The kernel in the branch of `five`.
    """
    branches = [
        convolution(x, filters=one, kernel_size=1),
        convolution(convolution(x, filters=three[0], kernel_size=1), filters=three[1], kernel_size=3),
        convolution(convolution(x, filters=five[0], kernel_size=1), filters=five[1], kernel_size=largest),
        convolution(layers.MaxPooling2D(3, strides=1, padding="same")(x), filters=pool, kernel_size=1),
    ]
    return layers.Concatenate()(branches)


@component
def auxiliary_neck(
    x: Any, *, filters: Count = 128, nodes: Count = 1024, convolution: Component = plain
) -> Any:
    """What an auxiliary classifier sees: pooling, a 1x1 convolution and a dense layer (section 5)."""
    x = layers.AveragePooling2D(5, strides=3)(x)
    x = layers.Flatten()(convolution(x, filters=filters, kernel_size=1))
    return layers.Dense(nodes, activation="relu", kernel_initializer=INITIALIZER)(x)


@checked
def inception(
    *,
    version: Literal[1, 2] = 1,
    classes: Count = 1000,
    stem_filters: tuple[Count, Count, Count] = (64, 64, 192),
    groups: tuple[tuple[Row, ...], ...] = GROUPS,
    auxiliary: bool = False,
    dropout: Rate = 0.4,
) -> Architecture:
    """Inception of version 1 or 2.

    Args:
        version: 1 as in the first paper; 2 with batch normalization, and 3x3 for 5x5.
        classes: How many there are.
        stem_filters: Of the three convolutions before the modules.
        groups: The modules as rows of table 1; all groups but the first begin by halving the image.
        auxiliary: Whether two more classifiers read modules 4a and 4d while training (section 5); the paper
            weighs the loss of each by 0.3.
        dropout: Before the scores.

    Raises:
        ConfigError: If there is no module 4d for an auxiliary classifier to read.
    """
    if auxiliary and (len(groups) < 2 or len(groups[1]) < 4):
        raise ConfigError(
            "The auxiliary classifiers read the first and the fourth module of the second group.",
            received=f"groups of {', '.join(str(len(group)) for group in groups)} modules",
            remedy="give the second group four modules, or auxiliary=False",
        )
    convolution, largest = (Part(plain), 5) if version == 1 else (Part(normalized), 3)
    kind = Part(module, convolution=convolution, largest=largest)
    main = Part(classifier, classes=classes, dropout=dropout)
    neck = Part(auxiliary_neck, convolution=convolution)
    side = Part(classifier, classes=classes, pool=neck, dropout=0.7)
    sides = [Task(side, f"auxiliary_{n}", tap) for n, tap in enumerate(AUXILIARY.values(), start=1)]
    return Architecture(
        stem=Part(stem, filters=stem_filters, convolution=convolution, respond=version == 1),
        learner=tuple(
            _group(kind, number, rows, AUXILIARY if auxiliary else {}) for number, rows in enumerate(groups)
        ),
        tasks=(Task(main, "main"), *sides) if auxiliary else main,
    )


def _group(kind: Part, number: int, rows: Iterable[Any], taps: Mapping[Any, str]) -> tuple[Part, ...]:
    parts = [Part(halved)] if number else []
    for position, (one, three, five, pool) in enumerate(rows):
        parts.append(kind.replace(one=one, three=three, five=five, pool=pool))
        if (number, position) in taps:
            parts.append(Part(tapped, name=taps[number, position]))
    return tuple(parts)


@checked
def inception_space(*, classes: Count = 1000) -> Architecture:
    """The width of every branch; one kind of convolution and one largest kernel for all modules."""
    convolution = Choice((Part(plain), Part(normalized)), name="convolution")
    kind = Part(module, convolution=convolution, largest=Choice((3, 5), name="largest"))
    return Architecture(
        stem=Part(stem, convolution=convolution, respond=False),
        learner=tuple(_group(kind, number, map(_opened, rows), {}) for number, rows in enumerate(GROUPS)),
        tasks=Part(classifier, classes=classes, dropout=Between(0.0, 0.6)),
    )


def _opened(row: Row) -> tuple[Choice, ...]:
    """Every branch as wide as in the paper, or half as wide."""
    one, (three_before, three), (five_before, five), pool = row
    return (
        Choice((one // 2, one)),
        Choice(((three_before // 2, three // 2), (three_before, three))),
        Choice(((five_before // 2, five // 2), (five_before, five))),
        Choice((pool // 2, pool)),
    )
