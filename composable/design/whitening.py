"""Whitening: an image's small squares in coordinates that don't depend on each other, found before training.

Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single A100 GPU", arXiv:2404.00498, section 3.2: the
kernel of the first convolution is computed from training images, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from composable.core.errors import ConfigError, DataError
from composable.design.fitting import fitted
from composable.design.metaparameters import Count
from composable.design.part import component

WHITENING = "whitening"
_ENOUGH = 5000  # images, as its reference code takes


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
