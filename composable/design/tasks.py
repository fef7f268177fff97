"""Tasks: what the architecture is asked to predict, with the taps `embedding`, `logits` and `probabilities`.

Each pools what the learner gives to one vector per row, and scores it. Where the scores are those of an
ensemble inside the network (shape (rows, members, scores)), the members' predictions are averaged.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers, ops

from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate
from composable.design.part import Component, component
from composable.design.taps import named

_AVERAGE = {3: layers.GlobalAveragePooling1D, 4: layers.GlobalAveragePooling2D}
_MAXIMUM = {3: layers.GlobalMaxPooling1D, 4: layers.GlobalMaxPooling2D}


@component
def pooled(x: Any, *, kind: Literal["average", "max"] = "average") -> Any:
    """Feature maps to one number per channel; a vector as it is."""
    poolings = _AVERAGE if kind == "average" else _MAXIMUM
    return poolings[len(x.shape)]()(x) if len(x.shape) in poolings else x


@component
def flattened(x: Any) -> Any:
    """Feature maps to one long vector, in their order."""
    return layers.Flatten()(x)


@component
def unpooled(x: Any) -> Any:
    """Return an id set as it is, where other tasks would pool feature maps."""
    return x


@component
def dense_neck(x: Any, *, nodes: tuple[Count, ...] = (4096, 4096), dropout: Rate = 0.5) -> Any:
    """Feature maps to one long vector, then dense layers: how networks ended before 2014 (AlexNet, VGG)."""
    x = layers.Flatten()(x)
    for each in nodes:
        x = layers.Dense(each, activation="relu", kernel_initializer=INITIALIZER)(x)
        x = layers.Dropout(dropout)(x) if dropout else x
    return x


@component
def dense_scores(x: Any, *, units: Count, use_bias: bool = True, name: str) -> Any:
    """Weighted sums of the embedding."""
    return layers.Dense(units, use_bias=use_bias, name=name)(x)


@component
def kernel_scores(x: Any, *, units: Count, rows: Count, name: str) -> Any:
    """Score by a weighted sum over rows that are kept, of the kernel 1 / (1 + sharpness * distance^2).

    That is the rational quadratic kernel, a mixture of Gaussian ones of many widths (Rasmussen and
    Williams 2006, "Gaussian Processes for Machine Learning", equation 4.19, alpha = 1).

    What is usual is taken off distance and kernel before they are summed up: small numbers keep more digits.

    Args:
        x: Features, shape (rows, features).
        units: How many scores.
        rows: How many are kept.
        name: Of the layer that gives the scores; what comes before it begins its name with this one.
    """
    lengths = layers.Dense(1, use_bias=False, kernel_initializer="zeros", name=f"{name}_lengths")
    keys = layers.Dense(rows, kernel_initializer="zeros", name=f"{name}_keys")
    usual = layers.Dense(1, kernel_initializer="zeros", name=f"{name}_usual")
    values = layers.Dense(units, kernel_initializer="zeros", name=name)
    farther: Any = ops.add(keys(x), lengths(ops.square(x)))  # sharpness * distance^2, less what is usual
    least: Any = ops.add(usual(x), 1.0)
    away: Any = ops.maximum(ops.add(least, farther), 1.0)  # 1 + sharpness * distance^2, but for rounding
    return values(ops.negative(farther) / (away * least))  # 1 / away - 1 / least


@component
def regressor(
    x: Any,
    *,
    outputs: Count = 1,
    pool: Component = pooled,
    dropout: Rate = 0.0,
    scores: Component = dense_scores,
    name: str = "",
) -> Any:
    """Numbers as they are: one linear node each (the seed's first design)."""
    logits = _scored(x, outputs, pool, dropout, scores, name)
    return layers.Identity(name=named(name, "probabilities"))(_averaged(logits))


@component
def binary_classifier(
    x: Any,
    *,
    pool: Component = pooled,
    dropout: Rate = 0.0,
    scores: Component = dense_scores,
    name: str = "",
) -> Any:
    """The probability of the second of two classes: one sigmoid node."""
    return _activated(_scored(x, 1, pool, dropout, scores, name), "sigmoid", name)


@component
def multi_label_classifier(
    x: Any,
    *,
    labels: Count,
    pool: Component = pooled,
    dropout: Rate = 0.0,
    scores: Component = dense_scores,
    name: str = "",
) -> Any:
    """Several probabilities at once that don't exclude each other: a sigmoid per label."""
    return _activated(_scored(x, labels, pool, dropout, scores, name), "sigmoid", name)


@component
def classifier(
    x: Any,
    *,
    classes: Count,
    pool: Component = pooled,
    dropout: Rate = 0.0,
    scores: Component = dense_scores,
    name: str = "",
) -> Any:
    """The probabilities of classes that exclude each other: softmax."""
    return _activated(_scored(x, classes, pool, dropout, scores, name), "softmax", name)


@component
def compact_classifier(
    x: Any, *, classes: Count, dropout: Rate = 0.0, activation: str | None = "relu", name: str = ""
) -> Any:
    """A feature map per class, averaged: no dense layer (Lin et al. 2013, "Network In Network", section 3.2).

    The embedding is what the map is averaged from: the pooled encoding.
    """
    x = layers.Dropout(dropout)(x) if dropout else x
    x = layers.Conv2D(classes, 1, activation=activation, kernel_initializer=INITIALIZER)(x)
    x = layers.GlobalAveragePooling2D(name=named(name, "logits"))(x)
    return layers.Activation("softmax", name=named(name, "probabilities"))(x)


@component
def segmenter(x: Any, *, classes: Count, name: str = "") -> Any:
    """The probabilities of the classes for every pixel: 1x1 convolution and softmax over channels."""
    logits = layers.Conv2D(classes, 1, name=named(name, "logits"))(x)
    return layers.Softmax(name=named(name, "probabilities"))(logits)


@component
def decoder(x: Any, *, part: Component, activation: str | None = None, name: str = "") -> Any:
    """What is encoded, made again or made new: an image, or a vector.

    The embedding is the code: what the task reads, as it is.

    Args:
        x: The code.
        part: From the code to numbers of the shape that is wanted.
        activation: Which brings them into the wanted range; None leaves them as they are.
        name: Before the taps.
    """
    code = layers.Identity(name=named(name, "embedding"))(x)
    logits = layers.Identity(name=named(name, "logits"))(part(code))
    return layers.Activation(activation, name=named(name, "probabilities"))(logits)


def _scored(x: Any, units: int, pool: Component, dropout: float, scores: Component, name: str) -> Any:
    x = layers.Identity(name=named(name, "embedding"))(pool(x))
    x = layers.Dropout(dropout)(x) if dropout else x
    return scores(x, units=units, name=named(name, "logits"))


def _activated(logits: Any, activation: str, name: str) -> Any:
    probabilities = named(name, "probabilities")
    if len(logits.shape) == 2:
        return layers.Activation(activation, name=probabilities)(logits)
    return layers.Identity(name=probabilities)(_averaged(layers.Activation(activation)(logits)))


def _averaged(outputs: Any) -> Any:
    return ops.mean(outputs, axis=1) if len(outputs.shape) == 3 else outputs
