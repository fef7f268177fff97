"""One image file as an array: every kind of file in the same colours, the same way up, of one size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from composable.core.errors import DataError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
_PIXELS = 1 << 26  # of an image before it is resized: 8192 x 8192


def read_image(path: Path, *, height: int, width: int, channels: int) -> np.ndarray:
    """Decode an image file.

    Turned as its camera says, 16-bit grey values scaled to 8, transparent parts on white, of an animation
    the first image, resized (bilinear with antialiasing; the sides' ratio isn't kept).

    Args:
        path: The file.
        height: Of the result.
        width: Of the result.
        channels: 3 for red, green, blue; 1 for grey.

    Returns:
        (height, width, channels) of uint8.

    Raises:
        DataError: If it isn't a whole image, or has too many pixels, which are counted before it is decoded.
    """
    try:
        with Image.open(path) as image:
            _check_size(image, path)
            upright = ImageOps.exif_transpose(image)
            plain = _on_white(_in_8_bits(upright)).convert("RGB" if channels == 3 else "L")
    except DataError:
        raise
    except Exception as broken:  # of any kind: decoders differ in what they raise on damaged files
        raise DataError(
            "Every image must be whole and of a common format.",
            received=f"{path}: {type(broken).__name__}: {str(broken)[:200]}",
            remedy="repair the file, or take it out of the folder",
        ) from broken
    resized = plain.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.uint8).reshape(height, width, channels)


def _check_size(image: Image.Image, path: Path) -> None:
    if image.width * image.height > _PIXELS:
        raise DataError(
            f"An image may have at most {_PIXELS:,} pixels.",
            received=f"{path}: {image.width} x {image.height}",
            remedy="save it smaller",
        )


def _in_8_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith("I"):
        return image
    levels = np.clip(np.asarray(image), 0, 65535) >> 8  # Pillow itself would clip at 255
    return Image.fromarray(levels.astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
