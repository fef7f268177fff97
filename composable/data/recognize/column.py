"""What inference finds about one column, and the cells it looks at for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from composable.data.dates import DateOrder
from composable.data.names import shown
from composable.data.parse import parse_categories
from composable.data.recognize.distinct import Distinct, distinct_texts
from composable.data.schema import MISSING_MARKS, Column, Notice
from composable.data.table import Source

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
            return distinct_texts(parse_categories(self.values, Column(self.name, "category")))
        return distinct_texts(self.values)

    @cached_property
    def _split(self) -> tuple[Distinct, tuple[str, ...]]:
        return self.every.without(MISSING_MARKS)

    @property
    def present(self) -> Distinct:
        """The different texts that may be values: without `MISSING_MARKS`."""
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
