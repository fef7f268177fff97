"""A class for every pixel from its color, its surroundings and its place alone: a baseline for masks."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from composable.core.seeds import derive
from composable.data.kinds.image import IMAGES
from composable.modality.modality import Baseline
from composable.training.candidate import Arrays, Material

_PIXELS = 30_000  # to learn from
_LEARNED, _SOLVED = 200, 2.0  # images, seconds
_BLURS = (1.0, 4.0)  # pixels


def logistic_on_pixels(images: np.ndarray, masks: np.ndarray, asked: np.ndarray, *, seed: int) -> np.ndarray:
    """Logistic regression on `described` pixels.

    Args:
        images: (rows, height, width, channels) of uint8.
        masks: (rows, height, width) the classes' numbers.
        asked: Other images, of the same size.
        seed: Of the pixels that are learned from.

    Returns:
        (asked, height, width, classes) probabilities of the classes up to the highest in `masks`.
    """
    rng = np.random.default_rng(seed)
    each = max(1, _PIXELS // len(images))
    size = images.shape[1] * images.shape[2]
    learned, classes = [], []
    for image, mask in zip(images, masks, strict=True):
        chosen = rng.integers(0, size, each)
        learned.append(described(image)[chosen])
        classes.append(mask.ravel()[chosen])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what hasn't converged by then has still found something
        model.fit(np.concatenate(learned), np.concatenate(classes).astype(int))
    found = np.zeros((*asked.shape[:3], int(masks.max()) + 1), "float32")
    for row, image in enumerate(asked):
        said = model.predict_proba(described(image))
        found[row][..., model.classes_.astype(int)] = said.reshape(*image.shape[:2], -1)
    return found


def described(image: np.ndarray) -> np.ndarray:
    """(height * width, features): colors, those of the surroundings, how they vary, the place.

    Args:
        image: (height, width, channels) of uint8.
    """
    colors = image.astype("float32") / 255.0
    around = [gaussian_filter(colors, (blur, blur, 0)) for blur in _BLURS]
    varied = gaussian_filter((colors - around[-1]) ** 2, (_BLURS[-1], _BLURS[-1], 0))
    down, right = np.meshgrid(*(np.linspace(-1, 1, side) for side in image.shape[:2]), indexing="ij")
    place = np.stack([down, right, down**2, right**2, down * right], axis=-1)
    features = [colors, colors**2, *around, varied, place.astype("float32")]
    return np.concatenate(features, axis=-1).reshape(image.shape[0] * image.shape[1], -1)


def _predict(material: Material, train: np.ndarray, query: Mapping[str, np.ndarray], seed: int) -> Arrays:
    (head,), (masks,) = material.problem.heads, material.targets
    some = np.random.default_rng(derive(seed, "baseline", "rows")).permutation(train)[:_LEARNED]
    images = material.inputs[IMAGES][some]
    shares = logistic_on_pixels(images, masks[some], query[IMAGES], seed=derive(seed, "baseline"))
    return [np.pad(shares, [(0, 0)] * 3 + [(0, head.width - shares.shape[-1])])]


def _seconds(material: Material, train: np.ndarray, query_rows: int, _seed: int) -> float:
    """How long one fold will take, judged by describing an image."""
    began = time.monotonic()
    described(material.inputs[IMAGES][train[0]])
    each = time.monotonic() - began
    return _SOLVED + each * (_LEARNED + 2 * query_rows)


LOGISTIC_ON_PIXELS = Baseline("logistic_on_pixels", _seconds, _predict, first=True)
