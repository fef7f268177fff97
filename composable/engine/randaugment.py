"""RandAugment: some of a dozen alterations, drawn for each image, all of one strength.

Cubuk, Zoph, Shlens & Le 2020, "RandAugment: Practical Automated Data Augmentation with a Reduced Search
Space", arXiv:1909.13719, with the ranges of its reference code. Equalizing and sharpening are left out: they
would take a histogram and a convolution for every image. What moves pixels is done at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from keras import ops
from pydantic import Field

from composable.design.part import component
from composable.engine.resampling import BRIGHTEST, from_center, grays, levels, nearest, per_row, sampled

PICKS = 2  # alterations of an image
_ANGLE, _SHEAR, _SHIFT = np.float32(np.deg2rad(30)), 0.3, 1 / 3  # at full strength; the shift of a side
_ENHANCED = 0.9  # of brightness, contrast and color
_BITS = 4  # that posterising takes away
Strength = Annotated[float, Field(gt=0, le=10)]


@component
def randaugment(images: Any, drawn: Any, *, magnitude: Strength = 5.0) -> Any:
    """Two alterations of each image, drawn at random.

    Args:
        images: (rows, height, width, channels).
        drawn: (rows, 4).
        magnitude: From 0 for none to 10.
    """
    values: Any = ops.cast(images, "float32")
    for chosen, strength in _picks(drawn, magnitude):
        for number, change in enumerate(_OF_LEVELS):
            changed = ops.clip(change(values, per_row(strength)), 0.0, BRIGHTEST)
            values = ops.where(per_row(ops.equal(chosen, number)), changed, values)
    return levels(sampled(values, *_places(images, drawn, magnitude)), images.dtype)


def randaugmented_masks(masks: Any, drawn: Any, *, magnitude: Strength = 5.0) -> Any:
    """Masks moved as `randaugment` moves their images."""
    return nearest(masks, *_places(masks, drawn, magnitude))


def _picks(drawn: Any, magnitude: float) -> list[tuple[Any, Any]]:
    """Per alteration which it is, and how strong in which direction, both (rows,)."""
    count = len(_OF_LEVELS) + len(_OF_PLACES) + 1  # the last one does nothing
    found = []
    for index in range(PICKS):
        chosen: Any = ops.floor(drawn[:, index] * count)
        found.append((chosen, ops.where(drawn[:, PICKS + index] < 0.5, -magnitude / 10, magnitude / 10)))
    return found


def _places(images: Any, drawn: Any, magnitude: float) -> tuple[Any, Any]:
    """Where the pixels of the altered images lie in the images."""
    strength: Any = dict.fromkeys(_OF_PLACES, 0.0)
    for chosen, one in _picks(drawn, magnitude):
        for number, name in enumerate(_OF_PLACES, len(_OF_LEVELS)):
            strength[name] = strength[name] + ops.where(ops.equal(chosen, number), one, 0.0)
    down, right = from_center(images)
    height, width = int(images.shape[1]), int(images.shape[2])
    each: Any = {name: ops.reshape(value, (-1, 1, 1)) for name, value in strength.items()}
    cosine: Any = ops.cos(_ANGLE * each["turned"])
    sine: Any = ops.sin(_ANGLE * each["turned"])
    y: Any = cosine * down + (_SHEAR * each["sheared down"] - sine) * right
    x: Any = cosine * right + (_SHEAR * each["sheared right"] + sine) * down
    y = y + (height - 1) / 2 + _SHIFT * height * each["moved down"]
    return y, x + (width - 1) / 2 + _SHIFT * width * each["moved right"]


def _brighter(values: Any, strength: Any) -> Any:
    return values * (1.0 + _ENHANCED * strength)


def _contrasted(values: Any, strength: Any) -> Any:
    middle: Any = ops.mean(values, axis=(1, 2, 3), keepdims=True)
    return middle + (values - middle) * (1.0 + _ENHANCED * strength)


def _colored(values: Any, strength: Any) -> Any:
    gray = grays(values)
    return gray + (values - gray) * (1.0 + _ENHANCED * strength)


def _solarized(values: Any, strength: Any) -> Any:
    """What is brighter than a threshold, inverted."""
    size: Any = ops.abs(strength)
    return ops.where(values >= (BRIGHTEST + 1) * (1.0 - size), BRIGHTEST - values, values)


def _posterized(values: Any, strength: Any) -> Any:
    size: Any = ops.abs(strength)
    step: Any = ops.power(2.0, ops.round(_BITS * size))
    whole: Any = ops.floor(values / step)
    return whole * step


def _stretched(values: Any, strength: Any) -> Any:  # noqa: ARG001 (has no strength)
    """Levels from the darkest to the brightest there are."""
    darkest: Any = ops.min(values, axis=(1, 2, 3), keepdims=True)
    brightest: Any = ops.max(values, axis=(1, 2, 3), keepdims=True)
    return (values - darkest) * BRIGHTEST / ops.maximum(brightest - darkest, 1.0)


_OF_LEVELS: tuple[Callable[[Any, Any], Any], ...] = (
    _brighter,
    _contrasted,
    _colored,
    _solarized,
    _posterized,
    _stretched,
)
_OF_PLACES = ("turned", "sheared down", "sheared right", "moved down", "moved right")
