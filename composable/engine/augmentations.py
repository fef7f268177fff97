"""What may be done to images and series while a network learns from them.

Each is decided by numbers in [0, 1), (rows, 4); see `composable.engine.augment`. Images are (rows, height,
width, channels) with levels from 0 to 255, and keep their type.

Series are (rows, steps, channels) of floats, NaN where there is none, which stays so: jitter, scale and
window of Um et al. 2017, "Data Augmentation of Wearable Sensor Data for Parkinson's Disease Monitoring using
Convolutional Neural Networks", arXiv:1706.00527.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from keras import ops
from pydantic import Field

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.randaugment import randaugment, randaugmented_masks
from composable.engine.resampling import (
    BRIGHTEST,
    COLORS,
    from_center,
    grays,
    levels,
    nearest,
    per_row,
    pixels,
    sampled,
    shifted,
    stretched,
)

DRAWN = 4  # numbers per row and augmentation
Degrees = Annotated[float, Field(ge=0, le=180)]
Portion = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(ge=1)]


@component
def flip(images: Any, drawn: Any, *, alternating: bool = True) -> Any:
    """Left becomes right in every second image.

    Args:
        images: The images.
        drawn: (rows, 4).
        alternating: Each image every second time, beginning at random (Jordan 2024, "94% on CIFAR-10 in 3.29
            Seconds on a Single GPU", arXiv:2404.00498, section 3.6); else at random each time.
    """
    turned: Any = drawn[:, DRAWN - 1 if alternating else 0]
    return ops.where(per_row(turned < 0.5), ops.flip(images, axis=2), images)


@component
def translate(images: Any, drawn: Any, *, most: Count = 2) -> Any:
    """Moved by up to `most` whole pixels along both axes; what comes in is the image's reflection."""
    for axis in (1, 2):
        steps: Any = ops.floor(drawn[:, axis - 1] * (2 * most + 1))
        images = shifted(images, steps - most, axis)
    return images


@component
def turn(images: Any, drawn: Any, *, angle: Degrees = 15.0, zoom: Portion = 0.1) -> Any:
    """Turned about the center by up to `angle` degrees, enlarged or shrunk by up to the factor 1 + `zoom`.

    Between pixels it is interpolated linearly; beyond the border the nearest pixel is repeated.
    """
    return sampled(images, *_turned(images, drawn, angle, zoom))


@component
def crop(images: Any, drawn: Any, *, least: Portion = 0.6, ratio: Ratio = 1.2) -> Any:
    """A part of the image, enlarged to the whole.

    Szegedy et al. 2015, "Going Deeper with Convolutions", arXiv:1409.4842, section 6.

    Args:
        images: The images.
        drawn: (rows, 4).
        least: Of the area that is seen, at least.
        ratio: By which the ratio of the sides changes at most, either way.
    """
    return stretched(images, *_cropped(images, drawn, least, ratio))


@component
def cutout(images: Any, drawn: Any, *, side: Portion = 0.3) -> Any:
    """A square, wholly or partly within the image, replaced by the image's mean color.

    DeVries & Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout",
    arXiv:1708.04552.

    Args:
        images: The images.
        drawn: (rows, 4).
        side: Of the square, as a share of the shorter side of the image.
    """
    height, width = int(images.shape[1]), int(images.shape[2])
    half = side * min(height, width) / 2
    down: Any = ops.abs(pixels(height) + 0.5 - drawn[:, :1] * height)
    right: Any = ops.abs(pixels(width) + 0.5 - drawn[:, 1:2] * width)
    covered = ops.logical_and(down[:, :, None, None] < half, right[:, None, :, None] < half)
    middle = ops.mean(ops.cast(images, "float32"), axis=(1, 2), keepdims=True)
    return ops.where(covered, levels(middle, images.dtype), images)


@component
def light(images: Any, drawn: Any, *, brightness: Portion = 0.14, contrast: Portion = 0.13) -> Any:
    """Brighter or darker by up to a share of the whole range, with more or less contrast."""
    values: Any = ops.cast(images, "float32")
    middle: Any = ops.mean(values, axis=(1, 2, 3), keepdims=True)
    lifted = per_row(2.0 * drawn[:, 0] - 1.0) * (brightness * BRIGHTEST)
    stretched = 1.0 + contrast * per_row(2.0 * drawn[:, 1] - 1.0)
    return levels(middle + lifted + (values - middle) * stretched, images.dtype)


@component
def color(images: Any, drawn: Any, *, saturation: Portion = 0.3, tint: Portion = 0.1) -> Any:
    """More or less colorful, the red and the blue channel brighter or darker; gray images stay.

    Args:
        images: The images.
        drawn: (rows, 4).
        saturation: By which the distance from gray changes at most, as a share.
        tint: By which the levels of red and of blue change at most, as a share.
    """
    if images.shape[-1] == 1:
        return images
    values: Any = ops.cast(images, "float32")
    gray = grays(values)
    distance: Any = 1.0 + saturation * per_row(2.0 * drawn[:, 0] - 1.0)
    red, blue = (1.0 + tint * per_row(2.0 * drawn[:, index] - 1.0) for index in (1, 2))
    gains: Any = (red, 1.0, blue)
    changed: Any = gray + (values - gray) * distance
    each = [changed[..., n : n + 1] * gains[n % COLORS] for n in range(int(images.shape[-1]))]
    return levels(ops.concatenate(each, axis=-1), images.dtype)


def _turned(images: Any, drawn: Any, angle: float, zoom: float) -> tuple[Any, Any]:
    """Where in the image each pixel of the turned one lies."""
    radians: Any = (2.0 * drawn[:, 0] - 1.0) * np.float32(np.deg2rad(angle))
    scale: Any = ops.exp((2.0 * drawn[:, 1] - 1.0) * np.float32(np.log1p(zoom)))
    cosine: Any = ops.reshape(ops.cos(radians) * scale, (-1, 1, 1))
    sine: Any = ops.reshape(ops.sin(radians) * scale, (-1, 1, 1))
    down, right = from_center(images)
    y: Any = cosine * down - sine * right + (int(images.shape[1]) - 1) / 2
    x: Any = sine * down + cosine * right + (int(images.shape[2]) - 1) / 2
    return y, x


def _cropped(images: Any, drawn: Any, least: float, ratio: float) -> tuple[Any, Any]:
    """Where in the image the rows and the columns of the part lie, (rows, height) and (rows, width)."""
    area: Any = least + (1.0 - least) * drawn[:, 0]
    changed: Any = ops.exp((2.0 * drawn[:, 1] - 1.0) * np.float32(np.log(ratio)))
    found = []
    for side, share, at in ((1, area * changed, drawn[:, 2]), (2, area / changed, drawn[:, 3])):
        size = int(images.shape[side])
        part: Any = ops.reshape(ops.minimum(ops.sqrt(share), 1.0), (-1, 1))
        at: Any = ops.reshape(at, (-1, 1))
        within: Any = (pixels(size) + 0.5) * part
        found.append(within - 0.5 + (1.0 - part) * size * at)
    return found[0], found[1]


def _turned_masks(masks: Any, drawn: Any, *, angle: float = 15.0, zoom: float = 0.1) -> Any:
    return nearest(masks, *_turned(masks, drawn, angle, zoom))


def _cropped_masks(masks: Any, drawn: Any, *, least: float = 0.6, ratio: float = 1.2) -> Any:
    down, right = _cropped(masks, drawn, least, ratio)
    nothing: Any = ops.zeros_like(masks[..., 0], dtype="float32")
    return nearest(masks, down[:, :, None] + nothing, right[:, None, :] + nothing)


OF_MASKS = {
    flip: flip,
    translate: translate,
    turn: _turned_masks,
    crop: _cropped_masks,
    randaugment: randaugmented_masks,
}
"""What moves anything, and how it moves masks, (rows, height, width, 1)."""


_LEAST = 1e-12  # of a variance


@component
def jitter(series: Any, drawn: Any, *, size: Portion = 0.1) -> Any:
    """A wave of random frequency and phase added, as large as `size` deviations of the series."""
    _, deviation = _moments(series)
    steps: Any = ops.arange(int(series.shape[1]), dtype="float32")
    turns: Any = drawn[:, :1] * 0.5 * steps + drawn[:, 1:2]  # at most half a turn from step to step
    wave: Any = ops.sin(turns * np.float32(2 * np.pi))
    return series + size * deviation * ops.expand_dims(wave, -1)


@component
def scale(series: Any, drawn: Any, *, most: Portion = 0.2) -> Any:
    """Farther from its mean or nearer to it, by up to the factor 1 + `most`."""
    mean, _ = _moments(series)
    factor: Any = ops.exp((2.0 * drawn[:, 0] - 1.0) * np.float32(np.log1p(most)))
    return mean + (series - mean) * ops.reshape(factor, (-1, 1, 1))


@component
def window(series: Any, drawn: Any, *, least: Portion = 0.8) -> Any:
    """A part of at least that share of the steps, stretched to the whole length."""
    length = int(series.shape[1])
    share: Any = least + (1.0 - least) * drawn[:, :1]
    first: Any = drawn[:, 1:2] * (1.0 - share) * (length - 1)
    index: Any = ops.cast(ops.round(first + share * ops.arange(length, dtype="float32")), "int32")
    index = ops.expand_dims(ops.clip(index, 0, length - 1), -1)
    return ops.take_along_axis(series, ops.broadcast_to(index, ops.shape(series)), 1)


def _moments(series: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of each channel, (rows, 1, channels)."""
    known: Any = ops.cast(ops.logical_not(ops.isnan(series)), "float32")
    values: Any = ops.where(known > 0.5, series, 0.0)
    count: Any = ops.maximum(ops.sum(known, axis=1, keepdims=True), 1.0)
    mean: Any = ops.sum(values, axis=1, keepdims=True) / count
    away: Any = (values - mean) * known
    variance: Any = ops.sum(ops.square(away), axis=1, keepdims=True) / count
    return mean, ops.sqrt(ops.maximum(variance, _LEAST))


OF_SERIES = {jitter, scale, window}
"""What takes series rather than images."""
