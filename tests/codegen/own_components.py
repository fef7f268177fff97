"""Components as a user writes them, for the tests of emitted source."""

from typing import Any

import keras
from keras import layers
from keras.layers import Dense

from composable import design
from composable.design.layers import norm as normalized

WIDTH, DEPTH = 4, 2
RELU = design.Part(layers.ReLU)
RATE: float = 0.5  # of what is dropped


@design.component
def conv(x: Any, *, filters: int, activation: Any = RELU) -> Any:
    """A convolution of my own, whose name Composable uses as well."""
    factor: float = 0.5  # a comment that stays
    return layers.Rescaling(factor)(activation(layers.Conv2D(filters, 3, padding="same")(x)))


BLOCK = design.Part(conv, activation=layers.ELU)


def mixed(x: Any, *, block: Any = BLOCK, depth: int = DEPTH) -> Any:
    from composable.design.layers import conv_norm

    for _ in range(depth):
        x = block(x, filters=WIDTH)
    return layers.Dropout(RATE)(normalized(conv_norm(x, WIDTH, 3, activation=None), "relu"))


def even(x: Any, *, times: int = 2) -> Any:
    return odd(layers.Dense(2)(x), times=times - 1) if times else x


def odd(x: Any, *, times: int) -> Any:
    return even(x, times=times)


def scored(x: Any) -> Any:
    return Dense(3, "softmax")(layers.Flatten()(x))


class Doubled(keras.layers.Layer):
    """A layer of my own."""

    times: int = 2

    def call(self, x: Any) -> Any:
        return x * self.times


def holding(factor: float) -> Any:
    def held(x: Any) -> Any:
        return x * factor

    return held
