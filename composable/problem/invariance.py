"""Copies of images as they may come in use: does a model still answer as before?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy import ndimage

_SHIFT = 1 / 8  # of a side
_ANGLE = 15.0  # degrees
_LEVELS = 255
_NOISE = 20.0  # standard deviation, in levels


def _shifted(images: np.ndarray) -> np.ndarray:
    steps = [max(1, round(_SHIFT * side)) for side in images.shape[1:3]]
    padded = np.pad(images, ((0, 0), (steps[0], 0), (steps[1], 0), (0, 0)), mode="edge")
    return padded[:, : images.shape[1], : images.shape[2]]


def _turned(images: np.ndarray) -> np.ndarray:
    return ndimage.rotate(images, _ANGLE, axes=(1, 2), reshape=False, order=1, mode="nearest")


def _blurred(images: np.ndarray) -> np.ndarray:
    side = max(images.shape[1:3]) / 32
    return ndimage.gaussian_filter(images, (0, side, side, 0), mode="nearest")


def _grainy(images: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, _NOISE, images.shape)
    return np.clip(images + noise, 0, _LEVELS).astype(np.uint8)


def _dark(images: np.ndarray) -> np.ndarray:
    return (images * 0.6).astype(np.uint8)


PROBES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "shifted by an eighth": _shifted,
    "mirrored": lambda images: images[:, :, ::-1],
    "upside down": lambda images: images[:, ::-1],
    "turned by 15°": _turned,
    "blurred": _blurred,
    "with noise": _grainy,
    "darker": _dark,
    "inverted": lambda images: _LEVELS - images,
}
"""From images (rows, height, width, channels) of uint8 to such copies, by what is done to them."""
