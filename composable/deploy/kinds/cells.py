"""Raw cells as plain Python reads them: one by one, as `composable.data.parse` reads whole columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from composable.data.schema import MISSING_MARKS

Rows = Mapping[str, Sequence[Any]]
Table = dict[str, Any]  # an object of `bundle.json`


def read_cells(rows: Rows, column: Table, read: Callable[[Any], float], wanted: str) -> Iterator[float]:
    """The cells of a column as numbers; NaN where they are empty or hold a missing marker for "no value".

    Raises:
        ValueError: If a cell holds something else; names the column and the row.
    """
    missing = {marker.strip() for marker in column["missing"]}
    for number, cell in enumerate(column_of(rows, column["name"]), 1):
        text = cell_text(cell)
        value = np.nan if text in missing else read(cell)
        if np.isnan(value) and text not in {*missing, *MISSING_MARKS}:
            raise ValueError(f"Column {column['name']!r} must hold {wanted}; row {number} holds {text!r}.")
        yield value


def read_texts(rows: Rows, column: Table) -> Iterator[str | None]:
    """The cells of a column as texts, None where there is no value."""
    missing = {"", "?", *(marker.strip() for marker in column["missing"])}
    for cell in column_of(rows, column["name"]):
        text = cell_text(cell)
        yield None if text in missing else text


def column_of(rows: Rows, name: str) -> Sequence[Any]:
    """The cells of a column.

    Raises:
        ValueError: If it isn't there.
    """
    if name not in rows:
        raise ValueError(f"The rows need the column {name!r}; it may be empty.")
    return rows[name]


def cell_text(cell: Any) -> str:
    """A cell as text without outer blanks, whole numbers without ".0"; empty where there is none."""
    if cell is None or str(cell) in ("<NA>", "NaT", "nan"):
        return ""
    if isinstance(cell, float | np.floating):
        value = float(cell)
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(cell, date):
        return (cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)).isoformat()
    return str(cell).strip()
