"""The networks of the book's first two chapters, from a regressor for house prices to a small CNN.

A. Ferlitsch 2020, "Deep Learning by Design" (draft): chapter 1, "Deep Neural Networks", and the basic CNN of
chapter 2.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.metaparameters import Count, Rate, checked
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
