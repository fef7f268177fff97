"""Image files as pixels: in the same colors, the same way up, of one size, and as PNG; masks as levels.

The levels of a mask are one small integer per pixel, the class of what that pixel shows.
"""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from composable.core.errors import DataError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
_PIXELS = 1 << 26  # of an image before it is resized: 8192 x 8192
_GRAYS = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_ORIENTATION, _SIDEWAYS = 0x0112, 5  # from 5 on, Exif's orientations swap the sides
_FILLING = 128  # neither light nor dark
_FINER = 2  # times the wanted size, in which a JPEG is decoded at least
_FRAMES = 1000  # of an animation, of which only the first is used
LONGEST = 96  # pixels of a side of an image written as PNG
_COLORED = 3  # channels
LEVELS = 256  # of one byte
_MASK_RULE = f"A mask has one whole number from 0 to {LEVELS - 1} per pixel."
_LOSSY = frozenset({"JPEG", "MPO"})


@dataclass(frozen=True)
class ImageShape:
    """Every image becomes (height, width, channels).

    Attributes:
        height: In pixels.
        width: In pixels.
        channels: 3 for colors or 1 for gray.
        padded: Whether the sides' ratio is kept and gray fills what is left, half on each side; else images
            are stretched to the shape.
    """

    height: int
    width: int
    channels: int = 3
    padded: bool = False


def read_image(path: Path, shape: ImageShape) -> np.ndarray:
    """Decode an image file.

    The image is turned by its EXIF orientation, 16-bit gray values are scaled to 8, transparent parts are put
    on white, of an animation the first image is taken, and it is resized (bilinear with antialiasing). A JPEG
    of much more pixels is decoded at a half, a quarter or an eighth of its size, at least twice as large as
    wanted: that takes a fraction of the time.

    Args:
        path: The file.
        shape: Of the result.

    Returns:
        (height, width, channels) of uint8.

    Raises:
        DataError: If it isn't a complete image, or has too many pixels or frames, which are counted before it
            is decoded.
    """
    with opened(path, at_once=True) as image:
        side = _FINER * max(shape.height, shape.width)
        image.draft(None, (side, side))
        turned = image.getexif().get(_ORIENTATION, 1) != 1
        upright = ImageOps.exif_transpose(image) if turned else image  # which copies it in any case
        return _fitted(_on_white(_in_8_bits(upright)), shape)


def fitted(pixels: np.ndarray, shape: ImageShape) -> np.ndarray:
    """Decoded pixels as `read_image` gives them.

    Args:
        pixels: (height, width, 1 for gray, 3 for colors or 4 with transparency) of uint8.
        shape: Of the result.
    """
    if pixels.shape == (shape.height, shape.width, shape.channels):
        return pixels
    gray = pixels.shape[-1] == 1
    return _fitted(_on_white(Image.fromarray(pixels[..., 0] if gray else pixels)), shape)


def _fitted(image: Image.Image, shape: ImageShape) -> np.ndarray:
    mode = "RGB" if shape.channels == 3 else "L"
    plain = image if image.mode == mode else image.convert(mode)  # which copies it in any case
    size, how = (shape.width, shape.height), Image.Resampling.BILINEAR
    filling = (_FILLING,) * shape.channels if shape.channels > 1 else _FILLING
    resized = ImageOps.pad(plain, size, how, color=filling) if shape.padded else plain.resize(size, how)
    return np.asarray(resized, dtype=np.uint8).reshape(shape.height, shape.width, shape.channels)


@dataclass(frozen=True)
class Facts:
    """The facts in the head of an image file.

    Attributes:
        height: In pixels, as the image is seen: turned by its EXIF orientation.
        width: The same.
        colored: Whether it may hold anything but grays.
    """

    height: int
    width: int
    colored: bool


def image_facts(path: Path) -> Facts:
    """Read the head of a file, without decoding the image.

    Raises:
        DataError: If it is no image, or has too many pixels or frames.
    """
    with opened(path) as image:
        sideways = image.getexif().get(_ORIENTATION, 1) >= _SIDEWAYS
        width, height = reversed(image.size) if sideways else image.size
        return Facts(height, width, image.mode not in _GRAYS)


@contextlib.contextmanager
def opened(path: Path, *, at_once: bool = False) -> Iterator[Image.Image]:
    """The image, not decoded yet; what goes wrong with it until the block ends names the file.

    Args:
        path: The file.
        at_once: Whether the file is read in one piece: faster than in several, if the image is to be decoded.

    Raises:
        DataError: If it is no image, or has too many pixels or frames.
    """
    try:
        with Image.open(io.BytesIO(path.read_bytes()) if at_once else path) as image:
            _check_size(image, path)
            yield image
    except DataError:
        raise
    except Exception as broken:  # of any kind: decoders differ in what they raise on damaged files
        raise DataError(
            "Every image must be whole and of a common format.",
            received=f"{path}: {type(broken).__name__}: {str(broken)[:200]}",
            remedy="repair the file, or take it out of the folder",
        ) from broken


def _check_size(image: Image.Image, path: Path) -> None:
    if image.width * image.height > _PIXELS:
        raise DataError(
            f"An image may have at most {_PIXELS:,} pixels.",
            received=f"{path}: {image.width} x {image.height}",
            remedy="save it smaller",
        )
    if (frames := getattr(image, "n_frames", 1)) > _FRAMES:
        raise DataError(
            f"An animation may have at most {_FRAMES:,} frames.",
            received=f"{path}: {frames:,}",
            remedy="save its first frame as an image",
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


def read_levels(path: Path) -> np.ndarray:
    """The levels of a mask file: palette indices, gray levels, or 0 and 255 where there is one bit.

    Args:
        path: A file without loss (PNG, TIFF, BMP, GIF); colored ones only if all their pixels are gray.

    Returns:
        (height, width) of uint8.

    Raises:
        DataError: If the file is broken, or holds decimals, colors, levels above 255 or JPEG's, which are
            no longer those that were painted.
    """
    with opened(path) as image:
        if image.format in _LOSSY:
            raise _refusal(path, "JPEG changes levels", "save masks as PNG")
        return _levels(image, path)


def levels_of(array: np.ndarray, origin: str) -> np.ndarray:
    """Masks in an array as (rows, height, width, 1) of uint8.

    Args:
        array: (rows, height, width) or (rows, height, width, 1) of whole numbers or truth values.
        origin: For errors.

    Raises:
        DataError: If it is shaped otherwise, or holds decimals or numbers beyond 0 to 255.
    """
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] != 1 or 0 in array.shape:
        raise DataError(
            "Masks are (rows, height, width).",
            received=f"{origin}: the shape {array.shape}",
            remedy="of one-hot masks take argmax over the last axis",
        )
    if array.dtype.kind not in "iub":
        raise DataError(_MASK_RULE, received=f"{origin}: the type {array.dtype}", remedy="number the classes")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= LEVELS:
        raise DataError(
            _MASK_RULE, received=f"{origin}: {low} to {high}", remedy="number the classes from 0 on"
        )
    return array.astype(np.uint8)


def _levels(image: Image.Image, path: Path) -> np.ndarray:
    if image.mode in ("1", "LA", "La"):
        image = image.convert("L")
    if image.mode == "F":
        raise _refusal(path, "decimals", "number the classes")
    pixels = np.asarray(image)
    if pixels.ndim == 3:  # levels written by a program that knows colors alone
        pixels = pixels[..., :3]
        if (pixels != pixels[..., :1]).any():
            raise _refusal(path, f"colors ({image.mode})", "save palette indices or gray levels")
        pixels = pixels[..., 0]
    if int(pixels.max(initial=0)) >= LEVELS or int(pixels.min(initial=0)) < 0:
        raise _refusal(path, f"levels from {pixels.min()} to {pixels.max()}", "number the classes from 0 on")
    return pixels.astype(np.uint8)


def _refusal(path: Path, found: str, remedy: str) -> DataError:
    return DataError(_MASK_RULE, received=f"{path}: {found}", remedy=remedy)


def pixels_of(array: np.ndarray, origin: str) -> np.ndarray:
    """Images as (rows, height, width, channels) of uint8.

    Raises:
        DataError: If they are shaped otherwise, or levels lie beyond 0 to 255 (0 to 1 where they are shares).
    """
    rule = "Images are (rows, height, width) or (rows, height, width, 1, 3 or 4), of 0 to 255 or 0.0 to 1.0."
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3, 4) or 0 in array.shape:
        raise DataError(rule, received=f"{origin}: the shape {array.shape}")
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "fiub":
        raise DataError(rule, received=f"{origin}: the type {array.dtype}")
    low, high = float(array.min()), float(array.max())
    most = 1 if array.dtype.kind in "fb" and high <= 1 else LEVELS - 1
    if not (low >= 0 and high <= most):  # NaN too
        raise DataError(rule, received=f"{origin}: {low:g} to {high:g}", remedy="scale them to 0 to 255")
    return np.round(array * np.float32((LEVELS - 1) / most)).astype(np.uint8)
