"""The different texts of a column, with how often and where each first appears: what inference looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from composable.data.names import shown


@dataclass(frozen=True, eq=False)
class Distinct:
    """The different non-empty texts of a column, in order of appearance, without outer blanks.

    Attributes:
        texts: The texts, a `str` Series.
        counts: How many cells have each.
        first: The row, from 0, in which each first appears.
    """

    texts: pd.Series
    counts: np.ndarray
    first: np.ndarray

    @property
    def cells(self) -> int:
        """The number of cells that have a text."""
        return int(self.counts.sum())

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, kept: np.ndarray) -> Distinct:
        """Only the texts for which `kept` is true."""
        if kept.all():
            return self
        return Distinct(self.texts.loc[kept].reset_index(drop=True), self.counts[kept], self.first[kept])

    def without(self, markers: tuple[str, ...]) -> tuple[Distinct, tuple[str, ...]]:
        """The texts that aren't in `markers`, and the markers that were there."""
        marked = self.texts.isin(markers).to_numpy(dtype=bool)
        return (self.where(~marked), tuple(self.texts[marked])) if marked.any() else (self, ())

    def example(self) -> str:
        """The first text with its row, counted from 1."""
        return f"{shown(self.texts.iloc[0], 40)} in row {int(self.first[0]) + 1}"


def distinct_texts(column: pd.Series) -> Distinct:
    """The different texts of a `str` column; empty and blank cells are left out."""
    codes, found = pd.factorize(column.str.strip())
    known = codes >= 0
    counts = np.bincount(codes[known], minlength=len(found))
    first = np.zeros(len(found), dtype=np.int64)
    first[codes[known][::-1]] = np.flatnonzero(known)[::-1]  # the earliest row is written last
    texts = pd.Series(found, dtype="str")
    return Distinct(texts, counts, first).where((texts != "").to_numpy(dtype=bool))
