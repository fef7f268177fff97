"""ResNet: blocks that add to what they are given.

He, Zhang, Ren & Sun 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385, table 1.
Version 1.5 strides in the 3x3 convolution (torchvision and most later code); version 2 normalizes first:
He et al. 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027, figure 4e.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import conv, conv_norm, norm
from composable.design.learners import group
from composable.design.metaparameters import Count
from composable.design.part import Component
from composable.design.tasks import classifier

BLOCKS = {34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # table 1
FILTERS = (64, 128, 256, 512)


@component
def stem(x: Any, *, filters: Count = 64, use_bias: bool = True) -> Any:
    """A 7x7 convolution and a max-pooling, each of which halves the image."""
    x = conv_norm(x, filters, 7, strides=2, use_bias=use_bias)
    x = layers.ZeroPadding2D(1)(x)
    return layers.MaxPooling2D(3, strides=2)(x)


@component
def basic(x: Any, *, filters: Count, strides: Count = 1, use_bias: bool = False) -> Any:
    """Two 3x3 convolutions (figure 5, left)."""
    shortcut = _shortcut(x, filters, strides, use_bias)
    x = conv_norm(x, filters, 3, strides, use_bias=use_bias)
    x = conv_norm(x, filters, 3, activation=None, use_bias=use_bias)
    return layers.ReLU()(layers.Add()([shortcut, x]))


@component
def bottleneck(
    x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 4, use_bias: bool = True
) -> Any:
    """1x1 to fewer channels, 3x3, 1x1 to more (figure 5, right); the stride in the first."""
    shortcut = _shortcut(x, filters * expansion, strides, use_bias)
    x = conv_norm(x, filters, 1, strides, use_bias=use_bias)
    x = conv_norm(x, filters, 3, use_bias=use_bias)
    x = conv_norm(x, filters * expansion, 1, activation=None, use_bias=use_bias)
    return layers.ReLU()(layers.Add()([shortcut, x]))


@component
def bottleneck_v1_5(
    x: Any, *, filters: Count, strides: Count = 1, expansion: Count = 4, use_bias: bool = False
) -> Any:
    """As `bottleneck`, the stride in the 3x3 convolution: no position is skipped."""
    shortcut = _shortcut(x, filters * expansion, strides, use_bias)
    x = conv_norm(x, filters, 1, use_bias=use_bias)
    x = conv_norm(x, filters, 3, strides, use_bias=use_bias)
    x = conv_norm(x, filters * expansion, 1, activation=None, use_bias=use_bias)
    return layers.ReLU()(layers.Add()([shortcut, x]))


def _shortcut(x: Any, filters: int, strides: int, use_bias: bool) -> Any:
    """What is added to: `x` itself, or where its shape changes, its projection (the paper's option B)."""
    if strides == 1 and x.shape[-1] == filters:
        return x
    return conv_norm(x, filters, 1, strides, activation=None, use_bias=use_bias)


def resnet(
    *,
    depth: Literal[34, 50, 101, 152] = 50,
    classes: Count = 1000,
    block: Component | Open | None = None,
    blocks: tuple[Count, ...] | None = None,
    filters: tuple[Count, ...] = FILTERS,
    use_bias: bool | None = None,
) -> Architecture:
    """ResNet for large images.

    Args:
        depth: Layers with weights, as published.
        classes: To tell apart.
        block: None for `basic` at depth 34 and `bottleneck` beyond; any function of `filters` and `strides`.
        blocks: Per group, instead of those of `depth`.
        filters: Per group.
        use_bias: Of the convolutions, which a normalization follows; None as keras.applications has it: in
            `bottleneck` alone.
    """
    biased = (depth != 34 and block is None) if use_bias is None else use_bias
    if block is None:
        block = Part(basic if depth == 34 else bottleneck, use_bias=biased)
    groups = zip(filters, blocks or BLOCKS[depth], strict=True)
    return Architecture(
        stem=Part(stem, filters=filters[0], use_bias=biased),
        learner=tuple(
            Part(group, block=block, filters=f, blocks=b, strides=1 if number == 0 else 2)
            for number, (f, b) in enumerate(groups)
        ),
        tasks=Part(classifier, classes=classes),
    )


def resnet_space(*, classes: int = 1000) -> Architecture:
    """Depth and width of every group, and one kind of block for all."""
    options = tuple(Part(kind) for kind in (basic, bottleneck, bottleneck_v1_5))
    block = Choice(options, name="block")
    width = Choice((16, 32, 64), name="width")
    return Architecture(
        stem=Part(stem, filters=width),
        learner=tuple(
            Part(group, block=block, filters=Choice((f // 2, f)), blocks=Between(1, b), strides=s)
            for f, b, s in zip(FILTERS, (3, 6, 12, 4), (1, 2, 2, 2), strict=True)
        ),
        tasks=Part(classifier, classes=classes),
    )
