"""VGG: small convolutions, many of them.

Simonyan & Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
arXiv:1409.1556, table 1, columns A, B, D and E.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked, paired
from composable.design.tasks import classifier, dense_neck

CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
FILTERS = (64, 128, 256, 512, 512)


@component
def group(x: Any, *, convolutions: Count, filters: Count) -> Any:
    """3x3 convolutions, then a pooling that halves the image."""
    for _ in range(convolutions):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer=INITIALIZER)(x)
    return layers.MaxPooling2D(2)(x)


@checked
def vgg(
    *,
    depth: Literal[11, 13, 16, 19] = 16,
    classes: Count = 1000,
    convolutions: tuple[Count, ...] | None = None,
    filters: tuple[Count, ...] = FILTERS,
    nodes: tuple[Count, ...] = (4096, 4096),
    dropout: Rate = 0.5,
) -> Architecture:
    """VGG; it has no stem: the first group takes the pixels.

    Args:
        depth: Layers with weights, as published.
        classes: How many there are.
        convolutions: Per group, instead of those of `depth`.
        filters: Per group.
        nodes: Of the dense layers before the last.
        dropout: After each of them.
    """
    groups = paired(convolutions=convolutions or CONVOLUTIONS[depth], filters=filters)
    return Architecture(
        learner=tuple(Part(group, convolutions=number, filters=width) for number, width in groups),
        tasks=Part(classifier, classes=classes, pool=Part(dense_neck, nodes=nodes, dropout=dropout)),
    )


@checked
def vgg_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group, and the dense layers."""
    return Architecture(
        learner=tuple(
            Part(group, convolutions=Between(1, most), filters=Choice((width // 4, width // 2, width)))
            for most, width in zip(CONVOLUTIONS[19], FILTERS, strict=True)
        ),
        tasks=Part(
            classifier,
            classes=classes,
            pool=Part(dense_neck, nodes=Choice(((), (512,), (1024, 1024), (4096, 4096)))),
        ),
    )
