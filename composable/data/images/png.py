"""Small pictures for a page: PNG files as text."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

LONGEST = 96  # pixels of a side


def png_text(pixels: np.ndarray) -> str:
    """An image (height, width, 1 or 3) of uint8 as a PNG file in base 64, made smaller where it is large."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((LONGEST, LONGEST))
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()
