"""Small pictures for a page: PNG files as text."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

LONGEST = 96  # pixels of a side
_COLORED = 3  # channels


def beside_each_other(pixels: np.ndarray) -> np.ndarray:
    """Several images whose channels stand one behind the other, (height, width, 3 each), as a wide one."""
    if pixels.shape[-1] <= _COLORED:
        return pixels
    return np.concatenate(np.split(pixels, pixels.shape[-1] // _COLORED, axis=-1), axis=1)


def png_text(pixels: np.ndarray) -> str:
    """An image, or several, of uint8 as a PNG file in base 64, made smaller where it is large.

    Args:
        pixels: (height, width, 1 or 3), or 3 for each of several.
    """
    pixels = beside_each_other(pixels)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((LONGEST, LONGEST))
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()
