"""The tasks that show a network an altered image, noisy or partly covered, with the original as target."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from keras import layers
from pydantic import Field

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.objective import Goal, squared_error
from composable.training.stages.pretrain.pretext import (
    Arrays,
    Images,
    Pretext,
    Unlabeled,
    attached,
    corrupted,
    images_of,
)

_SIDE = 4  # pixels, of the map that a vector is made


def image_decoder(x: Any, *, shape: tuple[int, int, int], width: int) -> Any:
    """Doubled by upsampling, each time followed by a 3x3 convolution, until it is as large as the image.

    Args:
        x: Feature maps (rows, height, width, channels); the tokens of patches (rows, tokens, channels), which
            are put back at their positions, a class token left out; or vectors (rows, channels).
        shape: Height, width and channels of the image.
        width: Channels of each convolution.

    Returns:
        (rows, height, width, channels) numbers, without an activation.
    """
    x = _as_map(x, width)
    height, breadth, channels = shape
    while x.shape[1] < height or x.shape[2] < breadth:
        x = layers.UpSampling2D()(x)
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    x = layers.Cropping2D((_halves(x.shape[1] - height), _halves(x.shape[2] - breadth)))(x)
    return layers.Conv2D(channels, 3, padding="same")(x)


def _as_map(x: Any, width: int) -> Any:
    if len(x.shape) == 4:
        return x
    if len(x.shape) == 3:
        tokens, side = int(x.shape[1]), math.isqrt(int(x.shape[1]))
        if tokens - side * side in (0, 1):
            x = layers.Cropping1D((tokens - side * side, 0))(x)
            return layers.Reshape((side, side, int(x.shape[2])))(x)
        x = layers.Flatten()(x)
    return layers.Reshape((_SIDE, _SIDE, width))(layers.Dense(_SIDE * _SIDE * width, activation="relu")(x))


def _halves(surplus: int) -> tuple[int, int]:
    return surplus // 2, surplus - surplus // 2


Penalty = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Alter = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Images of pixels from 0 to 1 to others of that shape."""


def reconstruction(
    x: Unlabeled, images: Images, alter: Alter, *, reads: str, width: int, sparsity: float = 0.0
) -> Pretext:
    """A pretext with the squared error between the original and what a decoder makes of the encoding.

    The original is taken as its distance from the mean training image, in standard deviations: an error of
    about 1 is that of a network that has learned nothing.

    Args:
        x: The rows.
        images: Those among the inputs that are altered; others pass as they are.
        alter: How.
        reads: The tap that is decoded.
        width: Channels of the decoder's convolutions.
        sparsity: Of the L1 penalty on the tap.
    """

    def corrupt(clean: Arrays, rng: np.random.Generator) -> tuple[Arrays, tuple[np.ndarray, ...]]:
        original = images.to_unit(clean[images.name])
        altered = images.from_unit(alter(original, rng))
        target = (original - images.mean) / images.deviation
        return {**clean, images.name: altered}, (target.astype("float16"),)

    def head(encoding: Any) -> Any:
        if sparsity:
            encoding = layers.ActivityRegularization(l1=sparsity)(encoding)
        return image_decoder(encoding, shape=images.shape, width=width)

    copies = corrupted(x, corrupt)
    targets = copies.rows.targets[0]

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        return _error(outputs[0], targets[numbers])

    return Pretext(
        attach=lambda network: attached(network, reads, head),
        goals=(Goal(squared_error, squared_error),),
        rows=copies.rows,
        train=copies.train,
        held_out=copies.held_out,
        epochs=copies.epochs,
        figure="squared error",
        chance=_error(np.float32(0.0), targets[copies.held_out]),
        score=score,
    )


def _error(predicted: np.ndarray | np.float32, targets: np.ndarray) -> float:
    """The mean squared error; 0 where there is no row."""
    return float(np.sum((predicted - targets.astype("float32")) ** 2, dtype="float64") / max(targets.size, 1))


@component
def autoencoding(
    x: Unlabeled, *, sparsity: Penalty = 1e-4, reads: str = "encoding", width: Count = 32
) -> Pretext:
    """The target is the image itself; what isn't zero in the encoding adds to the loss.

    Ng 2011, "Sparse autoencoder" (CS294A lecture notes), with the L1 penalty that has become usual.

    Args:
        x: The rows.
        sparsity: Of the L1 penalty on the encoding, summed over a row.
        reads: The tap that is decoded.
        width: Channels of the decoder's convolutions.
    """
    return reconstruction(
        x, images_of(x), lambda pixels, _: pixels, reads=reads, width=width, sparsity=sparsity
    )


Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@component
def denoising(
    x: Unlabeled,
    *,
    mean: float = 0.5,
    deviation: Size = 0.5,
    scale: Size = 0.5,
    reads: str = "encoding",
    width: Count = 32,
) -> Pretext:
    """Normal noise is added to every pixel; the target is the clean image.

    Vincent et al. 2008, "Extracting and Composing Robust Features with Denoising Autoencoders". The noise is
    that of the seed's author, N(0.5, 0.5) on pixels from 0 to 1, by `scale`; its mean brightens the image.

    Args:
        x: The rows.
        mean: Of the noise, before it is scaled.
        deviation: Of the noise, before it is scaled.
        scale: A factor of the noise.
        reads: The tap that is decoded.
        width: Channels of the decoder's convolutions.
    """

    def noisy(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        noise = rng.standard_normal(pixels.shape, dtype="float32") * np.float32(deviation)
        return pixels + np.float32(scale) * (noise + np.float32(mean))

    return reconstruction(x, images_of(x), noisy, reads=reads, width=width)


Share = Annotated[float, Field(gt=0, le=1)]


@component
def occlusion(
    x: Unlabeled,
    *,
    side: Share = 0.5,
    cover: Literal["mean", "other"] = "mean",
    reads: str = "encoding",
    width: Count = 32,
) -> Pretext:
    """A box somewhere in the image is hidden; the target is the whole image.

    Pathak et al. 2016, "Context Encoders: Feature Learning by Inpainting", without the adversarial loss.

    Args:
        x: The rows.
        side: Of the box, as a share of the image's sides.
        cover: What lies in the box: the mean of the training images, or the same box of another image.
        reads: The tap that is decoded.
        width: Channels of the decoder's convolutions.
    """
    images = images_of(x)

    def hidden(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        other = np.roll(pixels, 1, axis=0) if cover == "other" else images.mean
        return np.where(boxes(pixels.shape, side, rng), other, pixels)

    return reconstruction(x, images, hidden, reads=reads, width=width)


def boxes(shape: tuple[int, ...], side: float, rng: np.random.Generator) -> np.ndarray:
    """Whether a pixel lies in its image's box: (rows, height, width, 1); boxes lie wholly within."""
    rows, *sides = shape[:3]
    within = []
    for length in sides:
        covered = min(length, max(1, round(side * length)))
        first = rng.integers(length - covered + 1, size=(rows, 1))
        pixels = np.arange(length)
        within.append((pixels >= first) & (pixels < first + covered))
    return (within[0][:, :, None] & within[1][:, None, :])[..., None]
