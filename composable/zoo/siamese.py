"""Siamese twin: whether two images show the same, by the distance of what one network makes of each.

Koch, Zemel & Salakhutdinov 2015, "Siamese Neural Networks for One-shot Image Recognition", ICML Deep Learning
Workshop, figure 4 and section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers, ops
from keras.initializers import RandomNormal

from composable.design import Architecture, Choice, Part, component
from composable.design.learners import shared
from composable.design.metaparameters import Count, checked
from composable.design.tasks import binary_classifier

CONVOLUTIONS = ((64, 10), (128, 7), (128, 4), (256, 4))
Convolutions = tuple[tuple[Count, Count], ...]


@component
def trunk(x: Any, *, convolutions: Convolutions = CONVOLUTIONS, units: Count = 4096) -> Any:
    """Convolutions with 2x2 max-pooling between them, then a sigmoid layer: what each twin is.

    Args:
        x: One of the images.
        convolutions: Filters and kernel size of each.
        units: Of the last layer.
    """
    for number, (filters, kernel_size) in enumerate(convolutions):
        x = layers.MaxPooling2D(2)(x) if number else x
        x = layers.Conv2D(
            filters,
            kernel_size,
            activation="relu",
            kernel_initializer=_drawn(0.01),
            bias_initializer=_drawn(0.01, mean=0.5),
        )(x)
    return layers.Dense(
        units, activation="sigmoid", kernel_initializer=_drawn(0.2), bias_initializer=_drawn(0.01, mean=0.5)
    )(layers.Flatten()(x))


@component
def distance(x: Mapping[str, Any]) -> Any:
    """How far apart the twins are, component by component (L1)."""
    left, right = x.values()
    return ops.absolute(left - right)


@component
def weighted(x: Any, *, units: Count, name: str) -> Any:
    """The weighted distance, with the paper's initial values."""
    return layers.Dense(
        units, kernel_initializer=_drawn(0.2), bias_initializer=_drawn(0.01, mean=0.5), name=name
    )(x)


def _drawn(stddev: float, mean: float = 0.0) -> Any:
    """Initial values (section 3.2); a new one per layer, as each draws its own."""
    return RandomNormal(mean, stddev)


@checked
def siamese_twin(*, convolutions: Convolutions = CONVOLUTIONS, units: Count = 4096) -> Architecture:
    """A network for two inputs by name, such as `left` and `right`; the order of the two makes no difference.

    Args:
        convolutions: Filters and kernel size of each, of the trunk that the twins share.
        units: Of the trunk's last layer.
    """
    return Architecture(
        learner=Part(shared, part=Part(trunk, convolutions=convolutions, units=units)),
        tasks=Part(binary_classifier, pool=distance, scores=weighted),
    )


@checked
def siamese_twin_space() -> Architecture:
    """The convolutions, from fewer to the paper's own, and the width of the last layer."""
    convolutions = (((32, 5), (64, 3), (128, 3)), ((64, 7), (128, 5), (128, 3), (256, 3)), CONVOLUTIONS)
    return Architecture(
        learner=Part(
            shared,
            part=Part(trunk, convolutions=Choice(convolutions), units=Choice((512, 1024, 4096))),
        ),
        tasks=Part(binary_classifier, pool=distance, scores=weighted),
    )
