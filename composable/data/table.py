"""A table as it was read: raw values under unique names, with what was noticed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from composable.data.images.source import ImageSource
from composable.data.schema import Notice, TextFormat


@dataclass(frozen=True, eq=False)
class Table:
    """A table before its values are given types.

    Attributes:
        frame: One column per field under unique text names and a 0..n-1 index. From text files every cell is
            text (as written, empty cells as NA); from Parquet, pandas and NumPy the types are kept.
        origin: The path, or "DataFrame" / "array".
        fingerprint: sha256 of the content; equal content gives equal fingerprints.
        format: How a text file was read, None for others.
        notices: What the reader chose or found.
        images: Where the images are that the cells of a column name, by that column.
        asked: The column that such data are usually asked for; None where nothing says so.
        part: The column that says which rows train, validate and test; None where there is none.
    """

    frame: pd.DataFrame
    origin: str
    fingerprint: str
    format: TextFormat | None = None
    notices: tuple[Notice, ...] = ()
    images: Mapping[str, ImageSource] = field(default_factory=dict)
    asked: str | None = None
    part: str | None = None
