"""The networks of A. Ferlitsch: those of his book's first two chapters, and JumpNet.

"Deep Learning by Design" 2020 (draft): chapter 1, "Deep Neural Networks", from a regressor for house prices
on, and the basic CNN of chapter 2.

In JumpNet every group hands on what it was given beside what it made of that, joined by a jump link. It is a
draft of 2020 without a paper; the design is that of the author's code, zoo/jumpnet in
github.com/GoogleCloudPlatform/keras-idiomatic-programmer.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.layers import conv, conv_norm, norm
from composable.design.metaparameters import Count, Counts, Rate, checked
from composable.design.part import Component
from composable.design.tasks import (
    binary_classifier,
    classifier,
    flattened,
    multi_label_classifier,
    regressor,
)

Design = Literal["regressor", "binary", "multiclass", "multilabel", "multitask"]

Categories = Annotated[tuple[Count, ...], Field(min_length=1)]


@component
def dense(x: Any, *, nodes: Count, dropout: Rate = 0.0) -> Any:
    """Nodes, each connected to everything before, and ReLU; dropout before it, as in chapter 1."""
    x = layers.Dense(nodes)(x)
    x = layers.Dropout(dropout)(x) if dropout else x
    return layers.ReLU()(x)


@component
def convolved(x: Any, *, filters: Count) -> Any:
    """A 3x3 convolution and a pooling, each of which halves the image."""
    x = layers.Conv2D(filters, 3, strides=2, padding="same")(x)
    return layers.MaxPooling2D(2, strides=2)(layers.ReLU()(x))


@checked
def seed_dnn(
    *,
    design: Design = "regressor",
    nodes: tuple[Count, ...] = (10, 10),
    categories: Categories = (5, 2),
) -> Architecture:
    """The five designs of chapter 1: they differ in their tasks alone.

    Args:
        design: What is predicted: a number; yes or no; one class; several labels; a class of each category.
        nodes: Of each layer before the last.
        categories: How many classes each category has: five ages and two genders. The multi-class design
            predicts the first category, the multi-label design takes all their classes as labels; the
            regressor and the binary classifier have none.
    """
    match design:
        case "regressor":
            tasks = Part(regressor)
        case "binary":
            tasks = Part(binary_classifier)
        case "multiclass":
            tasks = Part(classifier, classes=categories[0])
        case "multilabel":
            tasks = Part(multi_label_classifier, labels=sum(categories))
        case "multitask":
            heads = enumerate(categories, start=1)
            tasks = tuple(Task(Part(classifier, classes=n), f"category_{i}") for i, n in heads)
    return Architecture(learner=tuple(Part(dense, nodes=each) for each in nodes), tasks=tasks)


@checked
def seed_dnn_space() -> Architecture:
    """One or two layers of any width, for the first design."""
    layer = Part(dense, nodes=Between(4, 64, log=True), dropout=Between(0.0, 0.5))
    return Architecture(learner=Choice((layer, (layer, layer))), tasks=Part(regressor))


@checked
def seed_mnist(
    *, classes: Count = 10, nodes: tuple[Count, ...] = (512, 512), dropout: Rate = 0.0
) -> Architecture:
    """The digits of chapter 1: every pixel is a feature.

    Args:
        classes: How many there are.
        nodes: Of each layer before the last.
        dropout: In each of them.
    """
    return Architecture(
        stem=Part(flattened),
        learner=tuple(Part(dense, nodes=each, dropout=dropout) for each in nodes),
        tasks=Part(classifier, classes=classes),
    )


@checked
def seed_mnist_space(*, classes: Count = 10) -> Architecture:
    """One width and one dropout for one to three layers."""
    width = Between(32, 1024, log=True, name="nodes")
    layer = Part(dense, nodes=width, dropout=Between(0.0, 0.5, name="dropout"))
    return Architecture(
        stem=Part(flattened),
        learner=Choice(tuple((layer,) * count for count in (1, 2, 3))),
        tasks=Part(classifier, classes=classes),
    )


@checked
def seed_cnn(*, classes: Count = 26, filters: Count = 16, nodes: Count = 512) -> Architecture:
    """The basic CNN of chapter 2.

    Args:
        classes: How many there are: 26 letters.
        filters: Of its convolution.
        nodes: Of the layer before the last.
    """
    return Architecture(
        stem=Part(convolved, filters=filters),
        learner=(Part(flattened), Part(dense, nodes=nodes)),
        tasks=Part(classifier, classes=classes),
    )


@checked
def seed_cnn_space(*, classes: Count = 26) -> Architecture:
    """Its two widths."""
    return Architecture(
        stem=Part(convolved, filters=Choice((8, 16, 32))),
        learner=(Part(flattened), Part(dense, nodes=Between(64, 512, log=True))),
        tasks=Part(classifier, classes=classes),
    )


BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # as ResNet's


@component
def stem(x: Any, *, filters: tuple[Count, Count] = (32, 64), strides: Count = 2) -> Any:
    """Two 3x3 convolutions, which see as much as one of 5x5; the first strides."""
    x = conv_norm(x, filters[0], 3, strides)
    return conv_norm(x, filters[1], 3)


@component
def identity_block(x: Any) -> Any:
    """1x1, 3x3, 1x1, each after a normalization and ReLU, added to `x`; no bottleneck between."""
    channels = x.shape[-1]
    y = conv_norm(norm(x, "relu"), channels, 1)
    y = conv_norm(y, channels, 3)
    return layers.Add()([x, conv(y, channels, 1)])


@component
def jump_group(x: Any, *, block: Component = identity_block, blocks: Count) -> Any:
    """Blocks and the jump link around them; both end in half the image, and joined in twice the channels.

    Args:
        x: Feature maps.
        block: Keeps the shape.
        blocks: How many.
    """
    channels = x.shape[-1]
    jump = conv(norm(x), channels, 1, strides=2)
    for _ in range(blocks):
        x = block(x)
    x = conv(norm(x, "relu"), channels, 1, strides=2)
    return layers.Concatenate()([jump, x])


@checked
def jumpnet(
    *,
    depth: Literal[50, 101, 152] = 50,
    classes: Count = 1000,
    blocks: Counts | None = None,
    filters: tuple[Count, Count] = (32, 64),
    strides: Count = 2,
) -> Architecture:
    """JumpNet.

    Args:
        depth: Of the ResNet whose numbers of blocks it has.
        classes: How many there are.
        blocks: Per group, instead of those of `depth`.
        filters: Of the stem's two convolutions. The first group has as many as the second, and each group
            twice as many as the one before.
        strides: Of the stem: 2 for large images, 1 for small ones.
    """
    return Architecture(
        stem=Part(stem, filters=filters, strides=strides),
        learner=tuple(Part(jump_group, blocks=number) for number in blocks or BLOCKS[depth]),
        tasks=Part(classifier, classes=classes),
    )


@checked
def jumpnet_space(*, classes: Count = 1000) -> Architecture:
    """The depth of every group, and the width of all."""
    return Architecture(
        stem=Part(stem, filters=Choice(((8, 16), (16, 32), (32, 64))), strides=Choice((1, 2))),
        learner=tuple(Part(jump_group, blocks=Between(1, most)) for most in (3, 4, 6, 3)),
        tasks=Part(classifier, classes=classes),
    )
