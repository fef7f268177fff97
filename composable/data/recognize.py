"""What inference finds about one column, the different cells it looks at for it, and what says nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from composable.data.names import shown
from composable.data.notation import DateOrder
from composable.data.parse import parse_categories
from composable.data.schema import MISSING_MARKERS, Column, Notice
from composable.data.table import Source


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


def _distinct_texts(column: pd.Series) -> Distinct:
    """The different texts of a `str` column; empty and blank cells are left out."""
    codes, found = pd.factorize(column.str.strip())
    known = codes >= 0
    counts = np.bincount(codes[known], minlength=len(found))
    first = np.zeros(len(found), dtype=np.int64)
    first[codes[known][::-1]] = np.flatnonzero(known)[::-1]  # the earliest row is written last
    texts = pd.Series(found, dtype="str")
    return Distinct(texts, counts, first).where((texts != "").to_numpy(dtype=bool))


MOST = 0.9  # of the cells must agree on a type before the others count as errors
ODD_TEXTS = 100  # different texts that may count as missing in such a column


@dataclass(frozen=True)
class Finding:
    """A column, and what the user should know about it."""

    column: Column
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, eq=False)
class RawColumn:
    """A column of a table whose kind is to be found.

    Attributes:
        name: The column's name.
        values: The raw cells.
        is_target: Whether the column is to be predicted: then it is never dropped.
        decimal: The file's decimal separator.
        date_order: The user's choice for 01/02.
        source: Where the things are that the cells name; None where the cells are the values themselves.
    """

    name: str
    values: pd.Series
    is_target: bool
    decimal: str = "."
    date_order: DateOrder | None = None
    source: Source | None = None

    @property
    def is_text(self) -> bool:
        """Whether the cells are texts as they were written, rather than of a type."""
        return self.source is None and isinstance(self.values.dtype, pd.StringDtype)

    @cached_property
    def every(self) -> Distinct:
        """The different texts; those of a typed column are the names of its categories."""
        if isinstance(self.values.dtype, pd.CategoricalDtype):
            return _distinct_texts(parse_categories(self.values, Column(self.name, "category")))
        return _distinct_texts(self.values)

    @cached_property
    def _split(self) -> tuple[Distinct, tuple[str, ...]]:
        return self.every.without(MISSING_MARKERS)

    @property
    def present(self) -> Distinct:
        """The different texts that may be values: without `MISSING_MARKERS`."""
        return self._split[0]

    @property
    def missing_markers(self) -> tuple[str, ...]:
        """The missing markers that occur."""
        return self._split[1]


def odd_cells(cells: RawColumn, odd: Distinct, wanted: str) -> Notice:
    """That some cells of a column aren't `wanted` and count as missing, with their number and the first."""
    texts = ", ".join(shown(text, 30) for text in odd.texts.head(3))
    return Notice(
        f"{odd.cells} of {cells.present.cells} cells are no {wanted} and count as missing: "
        f"{texts}{', ...' if len(odd) > 3 else ''}; the first is {odd.example()}.",
        level="warning",
        column=cells.name,
        remedy="correct them, or give the column the kind 'category' in a schema: --schema",
    )


def infinite_cells(name: str, count: int, row: int) -> Notice:
    """That infinite numbers count as missing; `row` counts from 0."""
    text = f"{count} infinite numbers count as missing; the first is in row {row + 1}."
    return Notice(text, level="warning", column=name)


def span(numbers: np.ndarray) -> str:
    """In words: numbers from 1 to 9."""
    return f"numbers from {numbers.min():.6g} to {numbers.max():.6g}"


def or_missing(values: pd.Series, present: int) -> str:
    """The words " or missing" where not all cells are present."""
    return " or missing" if present < len(values) else ""


ENOUGH_ROWS = 10  # below this, differing values prove nothing
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ALWAYS = {"id", "ids", "uuid", "guid", "pid", "identifier", "index", "rownum", "rowid", "unnamed"}
_AS_LAST_WORD = {"number", "no", "nr", "key", "code"}


def is_named_like_identifier(name: str) -> bool:
    """Whether a word of the name means "identifier": `PID`, `customer_id`, `hospital_number`, `userId`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return bool(_ALWAYS & set(words)) or (len(words) > 1 and words[-1] in _AS_LAST_WORD)


def row_number_reason(name: str, numbers: np.ndarray) -> str:
    """Why whole numbers, in row order and without gaps, identify rows; "" where they don't.

    Row numbers rise by one from 0 or 1. Other whole numbers need such a name and (nearly) no
    repetition: a price or a year may well differ in every row.
    """
    rows = len(numbers)
    if rows < ENOUGH_ROWS:
        return ""
    if numbers[0] in (0, 1) and np.all(np.diff(numbers) == 1):
        return f"counts the rows from {int(numbers[0])}"
    distinct = len(np.unique(numbers))
    if is_named_like_identifier(name) and distinct >= 0.9 * rows and not np.all(numbers == numbers[0]):
        return (
            "every value differs"
            if distinct == rows
            else f"{distinct} different whole numbers in {rows} rows"
        )
    return ""


def typed_nothing(column: RawColumn) -> Finding | None:
    """A typed column that holds no value, or one; None for others."""
    if column.is_text or isinstance(column.values.dtype, pd.CategoricalDtype):
        return None
    present, notices = finite_cells(column)
    if present.empty:
        return Finding(Column(column.name, "empty", "drop", "no values"), notices)
    if present.nunique() == 1 and not column.is_target:
        reason = f"always {present.iloc[0]}{or_missing(column.values, len(present))}"
        return Finding(Column(column.name, "constant", "drop", reason), notices)
    return None


def finite_cells(column: RawColumn) -> tuple[pd.Series, tuple[Notice, ...]]:
    """The cells of a typed column that hold a value, and a notice where infinite ones are left out."""
    present = column.values.dropna()
    if not pd.api.types.is_float_dtype(present.dtype):
        return present, ()
    infinite = np.isinf(present.to_numpy(dtype="float64"))
    if not infinite.any():
        return present, ()
    first = int(np.asarray(present.index)[infinite][0])
    return present.loc[~infinite], (infinite_cells(column.name, int(infinite.sum()), first),)
