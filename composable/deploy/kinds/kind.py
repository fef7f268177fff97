"""How columns of one kind are read outside the package: by the emitted client, and by an ONNX file.

The client reads raw cells in plain Python, one by one, as `composable.data.parse` reads whole columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from composable.data.schema import MISSING_MARKERS, Schema
from composable.deploy.onnx_graph import Graph

TypedRows = pd.DataFrame | Mapping[str, Any]
Rows = Mapping[str, Sequence[Any]]
Table = dict[str, Any]  # an object of `bundle.json`


@dataclass(frozen=True)
class FileInput:
    """What an ONNX file takes.

    Attributes:
        name: What it is called: as its column, or as the model's input that it is.
        columns: The columns that it holds.
        type: The type of its values, as ONNX calls it.
        shape: The shape of one row.
        meaning: What the values are, for who feeds it.
        whole: Whether it is an input of the model as it is, of several columns, rather than one column.
    """

    name: str
    columns: tuple[str, ...]
    type: str
    shape: tuple[int, ...]
    meaning: str
    whole: bool = False


@dataclass(frozen=True)
class DeployedKind:
    """How the blocks of one kind of input are deployed.

    Attributes:
        client: Raw cells to the model's inputs in plain Python, emitted as source: takes the rows, the blocks
            and the columns of the schema as `bundle.json` has them, and gives the model's inputs.
        inputs: What an ONNX file takes for these blocks.
        nodes: Adds to a graph what makes the model's inputs of these, and gives the values by the model's
            input, to be put side by side; takes the graph, the blocks, the schema and the names of `inputs`.
        program: The program beside an ONNX file that makes what it takes of raw cells, where it doesn't take
            these themselves.
        feed: Typed rows, see `composable.deploy.export.golden_rows`, as the file takes them, in the order of
            `inputs`.
    """

    client: Callable[[Mapping[str, Any], Sequence[Any], Mapping[str, Any]], dict[str, np.ndarray]]
    inputs: Callable[[Sequence[Any]], tuple[FileInput, ...]]
    nodes: Callable[[Graph, Sequence[Any], Schema, Sequence[str]], dict[str, list[str]]]
    feed: Callable[[Sequence[Any], Schema, TypedRows], list[np.ndarray]]
    program: Callable[[], str] | None = None


def read_cells(rows: Rows, column: Table, read: Callable[[Any], float], wanted: str) -> Iterator[float]:
    """The cells of a column as numbers; NaN where they are empty or hold a missing marker for "no value".

    Raises:
        ValueError: If a cell holds something else; names the column and the row.
    """
    missing = {marker.strip() for marker in column["missing"]}
    for number, cell in enumerate(column_of(rows, column["name"]), 1):
        text = cell_text(cell)
        value = np.nan if text in missing else read(cell)
        if np.isnan(value) and text not in {*missing, *MISSING_MARKERS}:
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
