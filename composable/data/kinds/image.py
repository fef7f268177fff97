"""Images: decoded, and resized to the one shape that all images of a column get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, cast

import numpy as np

from composable.core.errors import DataError
from composable.data.images.column import cells_of, wrong_rows
from composable.data.images.pixels import ImageShape
from composable.data.images.source import ImageArrays, ImageFiles, ImageSource, image_arrays
from composable.data.kinds.category import describe_texts
from composable.data.kinds.kind import Cells, InputKind, ModelInput
from composable.data.names import shown
from composable.data.parse import parse_texts
from composable.data.recognize import Finding, RawColumn
from composable.data.schema import Column

IMAGES = "images"
_AXES = 4  # of an array of images: rows, height, width, channels
LONGEST = 64  # pixels of a side: larger images are made smaller, for training takes time by the pixel


@dataclass(frozen=True)
class ImageBlock:
    """A column of images: each decoded and resized, (height, width, channels) of uint8.

    What that means, to the pixel, `composable.data.images.pixels.read_image` defines; `padded` is that of
    its `ImageShape`.
    """

    kind: Literal["image"] = field(default="image", kw_only=True)
    column: str
    height: int
    width: int
    channels: int
    padded: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of each image."""
        return self.height, self.width, self.channels

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """Channels of `images`."""
        return (ModelInput(IMAGES, self.shape, "uint8", "levels"),)

    def encode(self, cells: Cells) -> dict[str, np.ndarray]:
        """The images that the cells name.

        Raises:
            DataError: If one isn't there or can't be decoded.
        """
        names, source = cells_of(cells.values), _source(cells)
        if missing := source.missing(names):
            raise DataError(
                f"Every cell of {shown(self.column)} must name an image.",
                received=f"{cells.origin}: {len(missing)} don't: {wrong_rows(names, missing)}",
                remedy="correct those rows, or leave them out",
            )
        return {IMAGES: source.read(names, ImageShape(*self.shape, padded=self.padded))}

    def golden(self, column: Column, rows: int, random: np.random.Generator) -> np.ndarray:
        """Images (rows, height, width, channels) from smooth to noisy, a black one and a white one."""
        coarse = random.uniform(0, 255, (rows, 4, 4, self.channels))
        down, right = (np.arange(side) * 4 // side for side in (self.height, self.width))
        noise = random.normal(0, 1, (rows, *self.shape)) * np.linspace(0, 60, rows)[:, None, None, None]
        levels = coarse[:, down][:, :, right] + noise
        levels[-2:] = np.array([0, 255])[:, None, None, None]
        return np.clip(np.round(levels), 0, 255).astype("uint8")


def _recognize(column: RawColumn) -> Finding | None:
    if not isinstance(column.source, ImageFiles | ImageArrays):
        return None
    reason = "names masks" if column.is_target else "names images"
    return Finding(Column(column.name, "image", "feature", reason))


def _arrays(arrays: Mapping[str, np.ndarray], origin: str) -> ImageArrays | None:
    """Arrays of four axes, or of three where they hold bytes: gray images."""
    if all(a.ndim == _AXES or (a.ndim == _AXES - 1 and a.dtype == np.uint8) for a in arrays.values()):
        return image_arrays(arrays, origin)
    return None


def fit_images(cells: Cells, *, longest: int | None = None, padded: bool = False) -> ImageBlock:
    """The shape that all images of a column get: the usual one, made smaller if it is large.

    Args:
        cells: Those of the column.
        longest: Pixels of the longer side; None for that of the usual image, but at most `LONGEST`.
        padded: As in `ImageShape`.

    Raises:
        DataError: If the cells name no images.
    """
    usual = _source(cells).usual
    most = max(usual.height, usual.width)
    factor = (longest or min(LONGEST, most)) / most
    height, width = (max(1, round(side * factor)) for side in (usual.height, usual.width))
    return ImageBlock(cells.column.name, height, width, usual.channels, padded)


def _source(cells: Cells) -> ImageSource:
    if cells.source is None:
        raise DataError(
            f"The cells of {shown(cells.column.name)} must name images.",
            received="no image was found by the names in it",
            remedy="write paths relative to the table's folder",
        )
    return cast("ImageSource", cells.source)


def _known(found: tuple[ImageBlock, ...], known: tuple[ImageBlock, ...]) -> tuple[ImageBlock, ...] | None:
    """The images stay as found, under any name: a network knows their shape alone."""
    return found if bool(found) == bool(known) else None


IMAGE = InputKind(
    "image",
    ("image",),
    _recognize,
    fit_images,
    partial(describe_texts, parse=parse_texts),
    _known,
    arrays=_arrays,
    is_costly=True,
    is_unique=True,
)
