"""AlexNet, the convolutional network that won ImageNet, and ZFNet, which has a smaller first kernel.

Krizhevsky, Sutskever & Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks",
section 3.5 and figure 2. Its two towers, one per graphics card of the time, are grouped convolutions here;
with one tower it is the form that most later code has.

Zeiler & Fergus 2013, "Visualizing and Understanding Convolutional Networks", arXiv:1311.2901, figure 3, found
the smaller kernel by looking at what the layers had learned.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.core.errors import ConfigError
from composable.design import Architecture, Choice, Part, component
from composable.design.layers import INITIALIZER, response_norm
from composable.design.metaparameters import Count, Rate, checked
from composable.design.tasks import classifier, dense_neck

FILTERS = (96, 256, 384, 384, 256)


@component
def stem(x: Any, *, filters: Count = 96) -> Any:
    """An 11x11 convolution that keeps every fourth position, then pooling: 224x224 to 27x27."""
    x = layers.ZeroPadding2D(2)(x)
    x = layers.Conv2D(filters, 11, strides=4, activation="relu", kernel_initializer=INITIALIZER)(x)
    return layers.MaxPooling2D(3, strides=2)(response_norm(x))


@component
def wide(x: Any, *, filters: Count, towers: Count = 1) -> Any:
    """A 5x5 convolution, response normalization, pooling: the second layer."""
    x = _conv(x, filters, 5, towers)
    return layers.MaxPooling2D(3, strides=2)(response_norm(x))


@component
def deep(x: Any, *, filters: tuple[Count, ...], towers: Count = 1) -> Any:
    """3x3 convolutions, then pooling: the third to fifth layer. The first one sees both towers."""
    for number, each in enumerate(filters):
        x = _conv(x, each, 3, 1 if number == 0 else towers)
    return layers.MaxPooling2D(3, strides=2)(x)


def _conv(
    x: Any, filters: int, kernel_size: int, towers: int = 1, *, strides: int = 1, padding: str = "same"
) -> Any:
    return layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding=padding,
        groups=towers,
        activation="relu",
        kernel_initializer=INITIALIZER,
    )(x)


@checked
def alexnet(
    *,
    classes: Count = 1000,
    filters: tuple[Count, Count, Count, Count, Count] = FILTERS,
    towers: Count = 1,
    nodes: tuple[Count, ...] = (4096, 4096),
    dropout: Rate = 0.5,
) -> Architecture:
    """AlexNet.

    Args:
        classes: How many there are.
        filters: Of the five convolutions.
        towers: Into which the second, fourth and fifth convolution fall apart; 2 as published.
        nodes: Of the dense layers before the last.
        dropout: After each of them.

    Raises:
        ConfigError: If the filters can't be shared out among the towers.
    """
    if any(each % towers for each in filters):
        raise ConfigError(
            "Every tower has as many filters.",
            received=f"towers={towers}, filters={filters}",
            remedy=f"give filters that {towers} divides",
        )
    first, second, *rest = filters
    return Architecture(
        stem=Part(stem, filters=first),
        learner=(
            Part(wide, filters=second, towers=towers),
            Part(deep, filters=tuple(rest), towers=towers),
        ),
        tasks=Part(classifier, classes=classes, pool=Part(dense_neck, nodes=nodes, dropout=dropout)),
    )


@checked
def alexnet_space(*, classes: Count = 1000) -> Architecture:
    """The width of every part, one tower or two, and the dense layers."""
    towers = Choice((1, 2), name="towers")
    return Architecture(
        stem=Part(stem, filters=Choice((32, 64, 96))),
        learner=(
            Part(wide, filters=Choice((64, 128, 256)), towers=towers),
            Part(deep, filters=Choice(((96, 64), (192, 192, 128), (384, 384, 256))), towers=towers),
        ),
        tasks=Part(
            classifier,
            classes=classes,
            pool=Part(dense_neck, nodes=Choice(((256,), (1024, 1024), (4096, 4096)))),
        ),
    )


@component
def fine_stem(x: Any, *, filters: Count = 96, kernel_size: Count = 7) -> Any:
    """ZFNet's: a convolution that keeps every second position, then pooling: 224x224 to 55x55."""
    x = layers.ZeroPadding2D(1)(x)
    x = _conv(x, filters, kernel_size, strides=2, padding="valid")
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return response_norm(x)


@component
def fine_wide(x: Any, *, filters: Count) -> Any:
    """ZFNet's: a 5x5 convolution that keeps every second position, then pooling: 55x55 to 13x13."""
    x = _conv(x, filters, 5, strides=2, padding="valid")
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return response_norm(x)


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
        stem=Part(fine_stem, filters=first),
        learner=(Part(fine_wide, filters=second), Part(deep, filters=tuple(rest))),
        tasks=Part(classifier, classes=classes, pool=Part(dense_neck, nodes=nodes, dropout=dropout)),
    )


@checked
def zfnet_space(*, classes: Count = 1000) -> Architecture:
    """The first kernel, the width of every part, and the dense layers."""
    return Architecture(
        stem=Part(fine_stem, filters=Choice((32, 64, 96)), kernel_size=Choice((5, 7, 9))),
        learner=(
            Part(fine_wide, filters=Choice((64, 128, 256))),
            # 512, 1024, 512: the wider last layers of the paper's section 5.1
            Part(deep, filters=Choice(((96, 64), (192, 192, 128), (384, 384, 256), (512, 1024, 512)))),
        ),
        tasks=Part(
            classifier,
            classes=classes,
            pool=Part(dense_neck, nodes=Choice(((256,), (1024, 1024), (4096, 4096)))),
        ),
    )
