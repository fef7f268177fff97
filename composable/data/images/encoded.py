"""A column of images as the model's input: every image decoded, and resized to one shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.encoding import ImageColumn
from composable.data.frames import column_of
from composable.data.images.column import cells_of, told
from composable.data.images.conversion import ImageShape
from composable.data.images.room import room
from composable.data.images.source import ImageSource
from composable.data.names import shown

LONGEST = 64  # pixels of a side: larger images are made smaller, for training takes time by the pixel


def fit_images(
    column: str, images: Mapping[str, ImageSource], *, longest: int | None = None, padded: bool = False
) -> ImageColumn:
    """The shape that all images of a column are given: the usual one, made smaller if it is large.

    Args:
        column: Its name.
        images: As in `Table.images`.
        longest: Pixels of the longer side; None for that of the usual image, but at most `LONGEST`.
        padded: As in `ImageShape`.

    Raises:
        DataError: If the column's cells name no images.
    """
    usual = _source(column, images).usual
    most = max(usual.height, usual.width)
    factor = (longest or min(LONGEST, most)) / most
    height, width = (max(1, round(side * factor)) for side in (usual.height, usual.width))
    return ImageColumn(column, height, width, usual.channels, padded)


def encoded_images(
    frame: pd.DataFrame, columns: Sequence[ImageColumn], images: Mapping[str, ImageSource], *, origin: str
) -> dict[str, np.ndarray]:
    """`images`, (rows, height, width, channels) of uint8, that the cells name, if there is such a column.

    Of several columns the channels stand one behind the other.

    Raises:
        DataError: If one isn't there or can't be decoded.
    """
    if not columns:
        return {}
    if len(columns) == 1:
        return {"images": _decoded(frame, columns[0], images, origin)}
    height, width, channels = columns[0].shape
    found = room((len(frame), height, width, channels * len(columns)))
    for place, column in enumerate(columns):
        found[..., place * channels : (place + 1) * channels] = _decoded(frame, column, images, origin)
    return {"images": found}


def _decoded(
    frame: pd.DataFrame, column: ImageColumn, images: Mapping[str, ImageSource], origin: str
) -> np.ndarray:
    names, source = cells_of(column_of(frame, column.column)), _source(column.column, images)
    if missing := source.missing(names):
        raise DataError(
            f"Every cell of {shown(column.column)} must name an image.",
            received=f"{origin}: {len(missing)} don't: {told(names, missing)}",
            remedy="correct those rows, or leave them out",
        )
    return source.read(names, ImageShape(*column.shape, padded=column.padded))


def contents(frame: pd.DataFrame, images: Mapping[str, ImageSource]) -> pd.DataFrame:
    """The frame with the hash of each image in the place of its name, so that equal images are equal."""
    found = {
        name: source.fingerprints(cells_of(column_of(frame, name)))
        for name, source in images.items()
        if name in frame.columns
    }
    return frame.assign(**found) if found else frame


def _source(column: str, images: Mapping[str, ImageSource]) -> ImageSource:
    if column not in images:
        raise DataError(
            f"The cells of {shown(column)} must name images.",
            received="no image was found by the names in it",
            remedy="write paths relative to the table's folder",
        )
    return images[column]
