"""Scores on images altered as they may come in use: does a model still answer as before?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy import ndimage

from composable.core.budget import Deadline
from composable.explain.explained_model import Predict
from composable.problem.metrics import fitting
from composable.problem.problem import Head
from composable.problem.scores import score

_MOST, _FEW = 500, 128  # rows; the latter where there is little time
_SHARE = 0.3  # of the time that is left, for all copies

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


ALTERATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
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


def altered_scores(
    predict: Predict,
    head: Head,
    inputs: Mapping[str, np.ndarray],
    observed: np.ndarray,
    deadline: Deadline,
) -> Iterator[dict[str, Any]]:
    """The head's accuracy, or its mean absolute error, on altered copies, the unaltered ones first.

    Args:
        predict: From inputs to predictions per head.
        head: The first head.
        inputs: Of the rows, `images` among them.
        observed: Targets of the first head.
        deadline: After it no further copies are made.
    """
    few = {name: values[:_FEW] for name, values in inputs.items()}
    predict(few)  # whatever has to be compiled
    began = time.monotonic()
    predict(few)
    seconds = (time.monotonic() - began) / _FEW * len(ALTERATIONS)
    most = _MOST if _MOST * seconds < _SHARE * deadline.remaining else _FEW
    some = {name: values[:most] for name, values in inputs.items()}
    metric = "accuracy" if "accuracy" in fitting(head.kind) else "mae"
    for name, alter in {"unaltered": lambda images: images, **ALTERATIONS}.items():
        if deadline.remaining <= 0:
            return
        predicted = predict(some | {"images": np.ascontiguousarray(alter(some["images"]))})
        value = score(metric, head, observed[:most], predicted[0])
        yield {"alteration": name, "metric": metric, "value": float(value), "rows": len(predicted[0])}
