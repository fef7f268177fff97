"""Inception of version 3: its large convolutions taken apart into small ones.

Szegedy, Vanhoucke, Ioffe, Shlens & Wojna 2015, "Rethinking the Inception Architecture for Computer Vision",
arXiv:1512.00567, table 1 and figures 5 to 7 and 10. Where the paper leaves filters out, they are those of its
authors' code, which keras.applications follows.
"""

from __future__ import annotations

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.taps import tapped
from composable.design.tasks import classifier

Width = Annotated[float, Field(gt=0, le=4)]
"""Times the published filters."""
Some = Annotated[int, Field(ge=0)]
Kernel = int | tuple[int, int]

READ = "inception_17x17"  # where the auxiliary classifier reads


@component
def stem(x: Any, *, width: Width = 1.0) -> Any:
    """Five convolutions and two poolings: 299x299 to 35x35."""
    x = _chain(x, width, (32, 3), strides=2)
    x = _chain(x, width, (32, 3), padding="valid")
    x = _chain(x, width, (64, 3))
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = _chain(x, width, (80, 1))
    x = _chain(x, width, (192, 3), padding="valid")
    return layers.MaxPooling2D(3, strides=2)(x)


@component
def module_35(x: Any, *, pool: Count = 64, width: Width = 1.0) -> Any:
    """Figure 5: one branch has two 3x3 convolutions in place of a 5x5; `pool` filters after the pooling."""
    branches = [
        _chain(x, width, (64, 1)),
        _chain(x, width, (48, 1), (64, 5)),
        _chain(x, width, (64, 1), (96, 3), (96, 3)),
        _pooled(x, width, pool),
    ]
    return layers.Concatenate()(branches)


@component
def reduction_35(x: Any, *, width: Width = 1.0) -> Any:
    """Figure 10: convolutions that stride, beside a pooling; 35x35 to 17x17."""
    branches = [
        _chain(x, width, (384, 3), strides=2),
        _chain(x, width, (64, 1), (96, 3), (96, 3), strides=2),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    return layers.Concatenate()(branches)


@component
def module_17(x: Any, *, filters: Count = 192, width: Width = 1.0) -> Any:
    """Figure 6: a 7x7 convolution is a 1x7 and a 7x1, with `filters` between them."""
    f = filters
    branches = [
        _chain(x, width, (192, 1)),
        _chain(x, width, (f, 1), (f, (1, 7)), (192, (7, 1))),
        _chain(x, width, (f, 1), (f, (7, 1)), (f, (1, 7)), (f, (7, 1)), (192, (1, 7))),
        _pooled(x, width, 192),
    ]
    return layers.Concatenate()(branches)


@component
def reduction_17(x: Any, *, width: Width = 1.0) -> Any:
    """17x17 to 8x8, as `reduction_35`."""
    branches = [
        _chain(x, width, (192, 1), (320, 3), strides=2),
        _chain(x, width, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3), strides=2),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    return layers.Concatenate()(branches)


@component
def module_8(x: Any, *, width: Width = 1.0) -> Any:
    """Figure 7: a 1x3 and a 3x1 side by side, where the image is small and there are many channels."""
    branches = [
        _chain(x, width, (320, 1)),
        _split(_chain(x, width, (384, 1)), width),
        _split(_chain(x, width, (448, 1), (384, 3)), width),
        _pooled(x, width, 192),
    ]
    return layers.Concatenate()(branches)


@component
def auxiliary_neck(x: Any, *, width: Width = 1.0) -> Any:
    """What the auxiliary classifier sees: pooling, a 1x1 and a 5x5 convolution (figure 8)."""
    x = layers.AveragePooling2D(5, strides=3)(x)
    x = _chain(x, width, (128, 1))
    x = _chain(x, width, (768, 5), padding="valid")
    return layers.GlobalAveragePooling2D()(x)


def _chain(
    x: Any, width: float, *convolutions: tuple[int, Kernel], strides: int = 1, padding: str = "same"
) -> Any:
    """Convolutions (filters, kernel) one after another, each normalized; the last one may stride."""
    for number, (filters, kernel_size) in enumerate(convolutions, start=1):
        striding = strides > 1 and number == len(convolutions)
        x = layers.Conv2D(
            max(1, round(filters * width)),
            kernel_size,
            strides if striding else 1,
            padding="valid" if striding else padding,
            use_bias=False,
            kernel_initializer=INITIALIZER,
        )(x)
        x = layers.BatchNormalization(scale=False)(x)  # ReLU passes on what the next layer can scale
        x = layers.ReLU()(x)
    return x


def _split(x: Any, width: float) -> Any:
    return layers.Concatenate()([_chain(x, width, (384, (1, 3))), _chain(x, width, (384, (3, 1)))])


def _pooled(x: Any, width: float, filters: int) -> Any:
    return _chain(layers.AveragePooling2D(3, strides=1, padding="same")(x), width, (filters, 1))


@checked
def inception_v3(
    *,
    classes: Count = 1000,
    pools: tuple[Count, ...] = (32, 64, 64),
    sevens: tuple[Count, ...] = (128, 160, 160, 192),
    last: Some = 2,
    width: Width = 1.0,
    auxiliary: bool = False,
    dropout: Rate = 0.0,
) -> Architecture:
    """Inception of version 3.

    Args:
        classes: How many there are.
        pools: Of each module at 35x35, the filters after its pooling.
        sevens: Of each module at 17x17, the filters between its 1x7 and 7x1 convolutions.
        last: How many modules at 8x8.
        width: Times all filters.
        auxiliary: Whether one more classifier reads the last module at 17x17 while training.
        dropout: Before the scores.
    """
    tap = (Part(tapped, name=READ),) if auxiliary else ()
    main = Part(classifier, classes=classes, dropout=dropout)
    side = Part(classifier, classes=classes, pool=Part(auxiliary_neck, width=width))
    return Architecture(
        stem=Part(stem, width=width),
        learner=(
            tuple(Part(module_35, pool=filters, width=width) for filters in pools),
            (
                Part(reduction_35, width=width),
                *(Part(module_17, filters=filters, width=width) for filters in sevens),
                *tap,
            ),
            (Part(reduction_17, width=width), *(Part(module_8, width=width),) * last),
        ),
        tasks=(Task(main, "main"), Task(side, "auxiliary", reads=READ)) if auxiliary else main,
    )


@checked
def inception_v3_space(*, classes: Count = 1000) -> Architecture:
    """One width for all, and of each module what the paper varies."""
    width = Choice((0.25, 0.5, 1.0), name="width")
    pools = Choice((32, 64))
    sevens = Choice((128, 160, 192))
    return Architecture(
        stem=Part(stem, width=width),
        learner=(
            (Part(module_35, pool=pools, width=width),) * 3,
            (Part(reduction_35, width=width), *(Part(module_17, filters=sevens, width=width),) * 4),
            (Part(reduction_17, width=width), *(Part(module_8, width=width),) * 2),
        ),
        tasks=Part(classifier, classes=classes, dropout=Between(0.0, 0.5)),
    )
