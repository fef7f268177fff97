"""ZFNet: AlexNet with a smaller first kernel, found by looking at what its layers had learned.

Zeiler & Fergus 2013, "Visualizing and Understanding Convolutional Networks", arXiv:1311.2901, figure 3.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design import Architecture, Choice, Part, component
from composable.design.layers import INITIALIZER, response_norm
from composable.design.metaparameters import Count, Rate, checked
from composable.design.tasks import classifier, dense_neck


@component
def stem(x: Any, *, filters: Count = 96, kernel_size: Count = 7) -> Any:
    """A convolution that keeps every second position, then pooling: 224x224 to 55x55."""
    x = layers.ZeroPadding2D(1)(x)
    x = _conv(x, filters, kernel_size, strides=2)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return response_norm(x)


@component
def wide(x: Any, *, filters: Count) -> Any:
    """A 5x5 convolution that keeps every second position, then pooling: 55x55 to 13x13."""
    x = _conv(x, filters, 5, strides=2)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return response_norm(x)


@component
def deep(x: Any, *, filters: tuple[Count, ...]) -> Any:
    """3x3 convolutions, then pooling: 13x13 to 6x6."""
    for each in filters:
        x = _conv(x, each, 3, padding="same")
    return layers.MaxPooling2D(3, strides=2)(x)


def _conv(x: Any, filters: int, kernel_size: int, strides: int = 1, padding: str = "valid") -> Any:
    return layers.Conv2D(
        filters, kernel_size, strides, padding=padding, activation="relu", kernel_initializer=INITIALIZER
    )(x)


@checked
def zfnet(
    *,
    classes: Count = 1000,
    filters: tuple[Count, Count, Count, Count, Count] = (96, 256, 384, 384, 256),
    nodes: tuple[Count, ...] = (4096, 4096),
    dropout: Rate = 0.5,
) -> Architecture:
    """ZFNet.

    Args:
        classes: How many there are.
        filters: Of the five convolutions.
        nodes: Of the dense layers before the last.
        dropout: After each of them.
    """
    first, second, *rest = filters
    return Architecture(
        stem=Part(stem, filters=first),
        learner=(Part(wide, filters=second), Part(deep, filters=tuple(rest))),
        tasks=Part(classifier, classes=classes, pool=Part(dense_neck, nodes=nodes, dropout=dropout)),
    )


@checked
def zfnet_space(*, classes: Count = 1000) -> Architecture:
    """The first kernel, the width of every part, and the dense layers."""
    return Architecture(
        stem=Part(stem, filters=Choice((32, 64, 96)), kernel_size=Choice((5, 7, 9))),
        learner=(
            Part(wide, filters=Choice((64, 128, 256))),
            # 512, 1024, 512: the wider last layers of the paper's section 5.1
            Part(deep, filters=Choice(((96, 64), (192, 192, 128), (384, 384, 256), (512, 1024, 512)))),
        ),
        tasks=Part(
            classifier,
            classes=classes,
            pool=Part(dense_neck, nodes=Choice(((256,), (1024, 1024), (4096, 4096)))),
        ),
    )
