"""Images with a box that hides a part of them, which is to be filled in."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.training.stages.pretrain.images import images_of
from composable.training.stages.pretrain.pretext import Pretext, Unlabeled
from composable.training.stages.pretrain.reconstruction import reconstruction

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
