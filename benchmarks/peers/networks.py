"""The networks of the comparisons in plain Keras, and rows for them: both sides build and train these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers


@dataclass(frozen=True)
class Network:
    """How it is built, what it is given, and how many classes it tells apart (0: it says a number)."""

    build: Callable[[], keras.Model]
    shape: tuple[int, ...]
    classes: int


def mlp() -> keras.Model:
    """13-128-128-1."""
    hidden = [layers.Dense(128, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((13,)), *hidden, layers.Dense(1)])


def conv_pool() -> keras.Model:
    """Two times convolution and max-pooling, then a dense layer: the first image network of many a course."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def resnet20() -> keras.Model:
    """He et al. 2015, arXiv:1512.03385, section 4.2, shortcuts without weights (option A)."""
    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU()(_conv_norm(inputs, 16))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        for number in range(3):
            x = _residual(x, filters, 1 if number else strides)
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def mobilenet_stack() -> keras.Model:
    """Stem and first seven blocks of MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381, table 2).

    On 32x32, where two strides are enough beside the stem's.
    """
    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU(6.0)(_conv_norm(inputs, 32, strides=2))
    x = _inverted(x, 16, 1, expansion=1)
    for filters, strides, blocks in ((24, 1, 2), (32, 2, 3), (64, 2, 1)):
        for number in range(blocks):
            x = _inverted(x, filters, 1 if number else strides, expansion=6)
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


NETWORKS = {
    "mlp": Network(mlp, (13,), 0),
    "conv_pool": Network(conv_pool, (28, 28, 1), 10),
    "resnet20": Network(resnet20, (32, 32, 3), 10),
    "mobilenet_stack": Network(mobilenet_stack, (32, 32, 3), 10),
}


def rows(network: Network, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of noise; numbers, shape (count, 1), or classes, shape (count,), that depend on them."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(count, *network.shape)).astype("float32")
    flat = inputs.reshape(count, -1)
    if not network.classes:
        return inputs, flat[:, :1] * flat[:, 1:2]
    return inputs, flat[:, : network.classes].argmax(1).astype("int32")


def _conv_norm(x: Any, filters: int, strides: int = 1, size: int = 3) -> Any:
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


def _residual(x: Any, filters: int, strides: int) -> Any:
    y = layers.ReLU()(_conv_norm(x, filters, strides))
    y = _conv_norm(y, filters)
    if strides > 1:
        new = filters - x.shape[-1]
        x = keras.ops.pad(x[:, ::strides, ::strides, :], ((0, 0), (0, 0), (0, 0), (0, new)))
    return layers.ReLU()(layers.Add()([x, y]))


def _inverted(x: Any, filters: int, strides: int, *, expansion: int) -> Any:
    y, channels = x, x.shape[-1]
    if expansion > 1:
        y = layers.ReLU(6.0)(_conv_norm(y, channels * expansion, size=1))
    y = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    y = _conv_norm(y, filters, size=1)
    return layers.Add()([x, y]) if strides == 1 and channels == filters else y
