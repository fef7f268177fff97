"""The images among a network's inputs, and the range of their pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from composable.core.errors import DataError
from composable.training.stages.pretrain.pretext import Unlabeled


@dataclass(frozen=True, eq=False)
class Images:
    """Of one input.

    Attributes:
        name: Of the input.
        shape: Height, width, channels.
        dtype: Of the pixels.
        low: The darkest.
        high: The brightest.
        mean: Of the training images, pixel by pixel, from 0 to 1, shape (height, width, channels).
        deviation: From that mean, over all training pixels, from 0 to 1.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    low: float
    high: float
    mean: np.ndarray
    deviation: float

    def to_unit(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels from 0 to 1, float32."""
        return (pixels.astype("float32") - self.low) / (self.high - self.low)

    def from_unit(self, pixels: np.ndarray) -> np.ndarray:
        """The reverse; what lies beyond 0 and 1 is cut off."""
        scaled = np.clip(pixels, 0.0, 1.0) * (self.high - self.low) + self.low
        return (np.rint(scaled) if self.dtype.kind in "iu" else scaled).astype(self.dtype)


def images_of(x: Unlabeled) -> Images:
    """The one input that holds images.

    Raises:
        DataError: If there is none or more than one, or all training pixels are the same.
    """
    found = [name for name, values in x.inputs.items() if values.ndim == 4]
    if len(found) != 1:
        raise DataError(
            "A pretext task for images takes one input of images, (rows, height, width, channels).",
            received=", ".join(f"{name} {values.shape}" for name, values in x.inputs.items())[:200],
            remedy="for tables there is the task `masking`",
        )
    values = x.inputs[found[0]]
    chosen = values[np.sort(x.train)]
    low, high = (0.0, 255.0) if values.dtype == np.uint8 else (float(chosen.min()), float(chosen.max()))
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise DataError(
            "The pixels of training images are finite, and not all the same.",
            received=f"{found[0]}: from {low} to {high}",
        )
    mean = chosen.mean(axis=0, dtype="float64")
    variance = np.mean([np.mean((image - mean) ** 2) for image in chosen])  # one by one: memory
    height, width, channels = (int(side) for side in values.shape[1:])
    return Images(
        name=found[0],
        shape=(height, width, channels),
        dtype=values.dtype,
        low=low,
        high=high,
        mean=((mean - low) / (high - low)).astype("float32"),
        deviation=float(np.sqrt(variance)) / (high - low) or 1.0,  # 0 for a single image
    )
