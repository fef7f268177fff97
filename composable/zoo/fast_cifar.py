"""The fast CIFAR network: as many right answers per second of training as anyone has got.

Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single A100 GPU", arXiv:2404.00498, section 3;
widths and depths are those of its reference code, airbench. Before training the kernel of the first
convolution is computed from training images (section 3.2), and stays as it is: it sees an image's small
squares in coordinates that don't depend on each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import keras
import numpy as np
from keras import initializers, layers, ops
from pydantic import Field

from composable.core.errors import ConfigError, DataError
from composable.design import Architecture, Between, Choice, Part, component
from composable.design.fitting import fitted
from composable.design.learners import group, groups
from composable.design.metaparameters import Count, Rate, checked
from composable.design.stems import standardize
from composable.design.tasks import classifier, pooled

MEAN = (125.307, 122.961, 113.8575)  # of CIFAR-10's pixels
DEVIATION = (62.985, 62.0925, 66.708)
WHITENING = "whitening"
_ENOUGH = 5000  # images for whitening, as its reference code takes


@component
def whitened(x: Any, *, patch: Count = 2) -> Any:
    """Squares of pixels in coordinates that are independent of each other, and in the opposite ones.

    The kernel isn't trained: `whiten` fits it to images. The bias is.
    """
    filters = 2 * patch**2 * x.shape[-1]
    x = layers.Conv2D(filters, patch, use_bias=False, trainable=False, name=WHITENING)(x)
    # A bias of its own, so that it is trained while the kernel isn't: the only entry of a table.
    only = ops.zeros_like(x[:1, :1, :1, 0], dtype="int32")
    x = x + layers.Embedding(1, filters, "zeros", name=f"{WHITENING}_bias")(only)
    return layers.Activation("gelu")(x)


def whiten(model: keras.Model, images: Any, *, smoothing: float = 5e-4) -> None:
    """Fit the first convolution to training images; some thousands are enough.

    Its filters become the directions in which squares of pixels vary independently, each scaled to a variance
    of one.

    Args:
        model: Has a `whitened` stem.
        images: As the model takes them; of a model of named inputs those, by name.
        smoothing: Added to the variances, so that directions without any stay finite.

    Raises:
        ConfigError: If the model has no such stem.
        DataError: If the images aren't those that the model takes, or none.
    """
    found: list[Any] = [layer for layer in model.layers if layer.name == WHITENING]
    if not found:
        raise ConfigError(
            "Only a model with a whitening convolution can be fitted to images.",
            received=f"model {model.name!r} without a layer {WHITENING!r}",
            remedy="build it with Part(whitened) as its stem",
        )
    (layer,) = found
    taken: Any = model.input
    if not isinstance(taken, Mapping):
        images = np.asarray(images)
        if images.ndim != 4 or not len(images) or not _same(images.shape[1:], taken.shape[1:]):
            raise DataError(
                "Whitening takes images as the model takes them.",
                received=f"{images.shape}, the model takes {taken.shape}",
            )
    clean = keras.Model(taken, layer.input).predict_on_batch(images)
    variances, directions = np.linalg.eigh(_covariance(clean, layer.kernel_size))
    filters = directions / np.sqrt(variances + smoothing)
    layer.kernel.assign(np.concatenate([filters, -filters], axis=1).reshape(layer.kernel.shape))


@fitted
def whiten_by_sample(model: keras.Model, inputs: Mapping[str, np.ndarray], seed: int) -> None:
    """Fit a model's whitening, if it has one, to at most 5,000 of the rows, drawn by the seed."""
    if all(layer.name != WHITENING for layer in model.layers):
        return
    count = len(next(iter(inputs.values())))
    chosen = np.random.default_rng(seed).permutation(count)[:_ENOUGH]
    whiten(model, {name: values[chosen] for name, values in inputs.items()})


def _same(shape: tuple[int, ...], taken: tuple[int | None, ...]) -> bool:
    return all(size in (None, found) for found, size in zip(shape, taken, strict=True))


def _covariance(images: np.ndarray, patch: tuple[int, int]) -> np.ndarray:
    """Of the pixels of all squares, whose mean is near zero already; in the order of a kernel's."""
    down, right = images.shape[1] - patch[0] + 1, images.shape[2] - patch[1] + 1
    shifted = [images[:, i : i + down, j : j + right] for i in range(patch[0]) for j in range(patch[1])]
    squares = np.concatenate(shifted, axis=-1)
    squares = squares.reshape(-1, squares.shape[-1])
    return squares.T @ squares / len(squares)


@component
def convolutions(
    x: Any,
    *,
    filters: Count,
    strides: Count = 2,
    depth: Annotated[int, Field(ge=1, le=3)] = 2,
    momentum: Rate = 0.6,
) -> Any:
    """A convolution that is pooled, and one or two more; the third closes a residual branch over both.

    Args:
        x: Feature maps.
        filters: Channels of every convolution.
        strides: Of the pooling.
        depth: Convolutions.
        momentum: Of the normalizations' moving averages: training is so short that they have to move fast.
    """
    x = layers.MaxPooling2D(strides)(_identity_conv(x, filters))
    x = shortcut = layers.Activation("gelu")(_centerd(x, momentum))
    for number in range(1, depth):
        x = _centerd(_identity_conv(x, filters), momentum)
        x = layers.Add()([shortcut, x]) if number == 2 else x
        x = layers.Activation("gelu")(x)
    return x


@component
def seen(
    x: Any,
    *,
    mean: tuple[float, ...],
    deviation: tuple[float, ...],
    filters: tuple[Count, ...],
    depth: Annotated[int, Field(ge=1, le=3)] = 1,
) -> Any:
    """All of the network but its task: from images to one vector per row.

    Args:
        x: Images.
        mean: Of each channel.
        deviation: Of each channel.
        filters: Per group; every group halves the image.
        depth: Convolutions per group.
    """
    x = whitened(standardize(x, mean=mean, deviation=deviation))
    for count in filters:
        x = convolutions(x, filters=count, depth=depth)
    return pooled(x, kind="max")


@component
def quiet_scores(x: Any, *, units: Count, divisor: Annotated[float, Field(gt=0)] = 9.0, name: str) -> Any:
    """Weighted sums without a bias, divided so that training begins near zero."""
    x = layers.Dense(units, use_bias=False, kernel_initializer=_uniform())(x)
    return layers.Rescaling(1 / divisor, name=name)(x)


@checked
def fast_cifar(
    *,
    classes: Count = 10,
    filters: tuple[Count, ...] = (64, 256, 256),
    depth: Annotated[int, Field(ge=1, le=3)] = 2,
    momentum: Rate = 0.6,
) -> Architecture:
    """The network of airbench94, and by `filters` and `depth` those of airbench95 and airbench96.

    Args:
        classes: How many there are.
        filters: Per group; every group halves the image.
        depth: Convolutions per group; with three there is a residual branch over the last two.
        momentum: Of the normalizations' moving averages.
    """
    block = Part(convolutions, depth=depth, momentum=momentum)
    halves = tuple(2 for _ in filters)
    return Architecture(
        prestem=Part(standardize, mean=MEAN, deviation=DEVIATION),
        stem=Part(whitened),
        learner=groups(block, filters=filters, blocks=tuple(1 for _ in filters), strides=halves),
        tasks=Part(classifier, classes=classes, pool=Part(pooled, kind="max"), scores=quiet_scores),
    )


@checked
def fast_cifar_space(*, classes: Count = 10) -> Architecture:
    """Width of every group, the depth of all, and how fast the normalizations follow."""
    block = Part(
        convolutions, depth=Choice((1, 2, 3), name="depth"), momentum=Between(0.5, 0.95, name="momentum")
    )
    return Architecture(
        prestem=Part(standardize, mean=MEAN, deviation=DEVIATION),
        stem=Part(whitened, patch=Choice((2, 3))),
        learner=tuple(
            Part(group, block=block, filters=Choice((f // 4, f // 2, f)), blocks=1) for f in (128, 512, 512)
        ),
        tasks=Part(classifier, classes=classes, pool=Part(pooled, kind="max"), scores=quiet_scores),
    )


def _centerd(x: Any, momentum: float) -> Any:
    """Batch normalization that shifts, but doesn't scale."""
    return layers.BatchNormalization(momentum=momentum, epsilon=1e-12, scale=False)(x)


def _identity_conv(x: Any, filters: int) -> Any:
    """A 3x3 convolution that begins by passing its input on in the first channels (section 3.3)."""
    passing: Any = _passing
    conv = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer=passing)
    x = conv(x)
    # The values are there. A saved model names an initializer that Keras has, so that it loads without us.
    conv.kernel_initializer = _uniform()
    return x


def _passing(shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """The first channels are one in the middle of their own input channel, the others are drawn."""
    identity = np.zeros(shape, "float32")
    passed = min(shape[2:])
    identity[1, 1, range(passed), range(passed)] = 1
    drawn = _uniform()(shape, dtype)
    return ops.where(np.arange(shape[-1]) < passed, ops.cast(identity, drawn.dtype), drawn)


def _uniform() -> Any:
    """As PyTorch begins: uniform, up to one over the root of what a node takes in."""
    return initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
