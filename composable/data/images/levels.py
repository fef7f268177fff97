"""A mask file as levels: one small integer per pixel, the class of what that pixel shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from composable.core.errors import DataError
from composable.data.images.conversion import opened

LEVELS = 256  # of one byte
RULE = f"A mask has one whole number from 0 to {LEVELS - 1} per pixel."
_LOSSY = frozenset({"JPEG", "MPO"})


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
        raise DataError(RULE, received=f"{origin}: the type {array.dtype}", remedy="number the classes")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= LEVELS:
        raise DataError(RULE, received=f"{origin}: {low} to {high}", remedy="number the classes from 0 on")
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
    return DataError(RULE, received=f"{path}: {found}", remedy=remedy)


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
