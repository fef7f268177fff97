"""ResNet version 2: blocks that normalize first, so that nothing stands between one sum and the next.

He, Zhang, Ren & Sun 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027, figure 4e.
Biases and strides as in keras.applications: the last block of a group strides.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import conv, conv_norm, max_pool, norm
from composable.design.learners import groups
from composable.design.metaparameters import Count, Counts, checked
from composable.design.part import Component
from composable.design.tasks import classifier

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # as ResNet's
FILTERS = (64, 128, 256, 512)


@component
def bottleneck(
    x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 4, use_bias: bool = True
) -> Any:
    """1x1 to fewer channels, 3x3, 1x1 to more, each after a normalization and ReLU; the stride in the 3x3.

    Args:
        x: Feature maps.
        filters: Of the first two convolutions.
        strides: Of the 3x3.
        expansion: Of the channels, by the last convolution.
        use_bias: Of the convolutions that no normalization follows at once: the last, and the projection.
    """
    normed = norm(x, "relu")
    y = conv_norm(normed, filters, 1)
    y = conv_norm(y, filters, 3, strides)
    y = conv(y, filters * expansion, 1, use_bias=use_bias)
    if x.shape[-1] != y.shape[-1]:
        x = conv(normed, y.shape[-1], 1, strides, use_bias=use_bias)
    elif strides > 1:
        x = layers.MaxPooling2D(1, strides)(x)  # of one pixel: it skips those between
    return layers.Add()([x, y])


@component
def group(x: Any, *, block: Component, blocks: Count, filters: Count, strides: Count = 2) -> Any:
    """A block and its repetitions; the last one strides.

    Args:
        x: Feature maps.
        block: Takes `filters` and `strides`.
        blocks: How many.
        filters: Of every block.
        strides: Of the last block; the others have 1.
    """
    for number in range(1, blocks + 1):
        x = block(x, filters=filters, strides=strides if number == blocks else 1)
    return x


@checked
def resnet_v2(
    *,
    depth: Literal[50, 101, 152] = 50,
    classes: Count = 1000,
    block: Component | Open = bottleneck,
    blocks: Counts | None = None,
    filters: Counts = FILTERS,
) -> Architecture:
    """ResNet version 2 for large images.

    Args:
        depth: Layers with weights, as published.
        classes: How many there are.
        block: Any function of `filters` and `strides`.
        blocks: Per group, instead of those of `depth`.
        filters: Per group.
    """
    strides = (*(2 for _ in filters[1:]), 1)
    return Architecture(
        stem=(
            Part(conv, filters=filters[0], kernel_size=7, strides=2, use_bias=True),
            Part(max_pool),
        ),
        learner=(
            *groups(block, filters=filters, blocks=blocks or BLOCKS[depth], strides=strides, of=group),
            Part(norm, activation="relu"),
        ),
        tasks=Part(classifier, classes=classes),
    )


@checked
def resnet_v2_space(*, classes: Count = 1000) -> Architecture:
    """Depth and width of every group, and one expansion for all."""
    block = Part(bottleneck, expansion=Choice((1, 2, 4), name="expansion"))
    return Architecture(
        stem=(Part(conv, filters=Choice((16, 32, 64)), kernel_size=7, strides=2), Part(max_pool)),
        learner=(
            *(
                Part(group, block=block, filters=Choice((f // 2, f)), blocks=Between(1, b), strides=s)
                for f, b, s in zip(FILTERS, (3, 4, 6, 3), (2, 2, 2, 1), strict=True)
            ),
            Part(norm, activation="relu"),
        ),
        tasks=Part(classifier, classes=classes),
    )
