"""Images with noise on them, to be made clean."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.training.stages.pretrain.images import images_of
from composable.training.stages.pretrain.pretext import Pretext, Unlabeled
from composable.training.stages.pretrain.reconstruction import reconstruction

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
