"""A table as it was read: raw values under unique names, with what was noticed on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pandas as pd

from composable.data.schema import Notice, TextFormat


class Source(Protocol):
    """The things beside a table that the cells of one of its columns name."""

    def fingerprints(self, names: Sequence[str]) -> list[str]:
        """Equal for things of equal content."""
        ...

    def missing(self, names: Sequence[str]) -> dict[int, str]:
        """The indices of names that name no complete thing, and what is wrong with each."""
        ...


@dataclass(frozen=True, eq=False)
class Sample:
    """Of which rows of a file the rows of a table are a uniform sample.

    Attributes:
        rows: Their numbers in the file, ascending from 0.
        total: How many rows the file has.
    """

    rows: np.ndarray
    total: int


@dataclass(frozen=True, eq=False)
class Table:
    """A table before its values are given types.

    Attributes:
        frame: One column per field under unique text names and a 0..n-1 index, which in a part of a file
            goes on from the part before. From text files every cell is
            text (as written, empty cells as NA); from Parquet, pandas and NumPy the types are kept.
        origin: The path, or "DataFrame" / "array".
        fingerprint: sha256 of the content; equal content gives equal fingerprints.
        format: How a text file was read, None for others.
        notices: What the reader chose or found.
        sources: Where the things are (images, say) that the cells of a column name, by that column.
        usual_target: The column that is usually predicted for such data; None where there is none.
        part: The column that states which rows train, validate and test; None where there is none.
        sample: Where the rows lie in the file, if they are only some of its rows; None if they are all.
    """

    frame: pd.DataFrame
    origin: str
    fingerprint: str
    format: TextFormat | None = None
    notices: tuple[Notice, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    usual_target: str | None = None
    part: str | None = None
    sample: Sample | None = None

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """Rows as the user counts them: from 1, in the file."""
        return (rows if self.sample is None else self.sample.rows[rows]) + 1

    def among(self, kept: np.ndarray) -> Table:
        """The rows of which the mask (rows,) is true."""
        sample = None if self.sample is None else replace(self.sample, rows=self.sample.rows[kept])
        return replace(self, frame=self.frame[kept].reset_index(drop=True), sample=sample)
