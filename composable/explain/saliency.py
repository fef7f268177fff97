"""Which pixels speak for an answer: integrated gradients.

Sundararajan, Taly & Yan 2017, "Axiomatic Attribution for Deep Networks", arXiv:1703.01365, equation 1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from composable.data.images.png import beside_each_other
from composable.engine.gradients import Gradients

STEPS = 32  # on the way from the baseline to the image
_SMOOTHED = 24  # a side of the image is so many standard deviations of the filter
_HIGHEST = 99.0  # percentile that is shown strongest
_OPAQUE = 0.7
_ORANGE = np.array([255.0, 120.0, 0.0])


def integrated_gradients(
    gradients: Gradients, row: Mapping[str, np.ndarray], direction: np.ndarray
) -> np.ndarray:
    """What each pixel adds to the score of a row, against an image of its mean color alone.

    They sum to the difference of the two scores, but for the error of the sum of `STEPS` midpoints.

    Args:
        gradients: With respect to `images`, see `composable.engine.gradients`.
        row: The inputs of one row.
        direction: What the logits are multiplied by to give the score.

    Returns:
        (height, width, channels).
    """
    image = row["images"].astype("float32")
    baseline = np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
    middles = ((np.arange(STEPS, dtype="float32") + 0.5) / STEPS)[:, None, None, None]
    inputs = {name: np.repeat(value[None], STEPS, axis=0) for name, value in row.items()}
    inputs["images"] = baseline + middles * (image - baseline)
    found = gradients(inputs, np.repeat(direction[None], STEPS, axis=0))
    return (image - baseline) * found.mean(axis=0)


def highlighted(image: np.ndarray, attributions: np.ndarray) -> np.ndarray:
    """The image in gray, orange where its pixels speak for the answer; (height, width, 3) of uint8.

    Args:
        image: (height, width, channels) of uint8; of several images they are shown beside each other.
        attributions: Of its pixels, shaped alike.
    """
    image, attributions = beside_each_other(image), beside_each_other(attributions)
    weight = np.maximum(attributions.sum(axis=-1), 0.0)
    weight = gaussian_filter(weight, max(weight.shape) / _SMOOTHED)  # single pixels mean little
    weight = np.clip(weight / max(float(np.percentile(weight, _HIGHEST)), 1e-12), 0.0, 1.0)
    covered = (_OPAQUE * weight)[..., None]
    return ((1.0 - covered) * image.mean(axis=-1, keepdims=True) + covered * _ORANGE).astype(np.uint8)
