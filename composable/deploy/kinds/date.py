"""Dates, read by the emitted client and by ONNX files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from composable.data.kinds.date import DATES, DateBlock
from composable.data.notation import ISO
from composable.data.schema import DATE_ORIGIN, Schema
from composable.deploy.kinds.kind import (
    DeployedKind,
    FileInput,
    Rows,
    Table,
    TypedRows,
    cell_text,
    read_cells,
)
from composable.deploy.kinds.number import number_node
from composable.deploy.onnx.graph import Graph

ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)  # dates enter the model as days since then


def encoded_dates(rows: Rows, blocks: Sequence[Table], columns: Mapping[str, Table]) -> dict[str, np.ndarray]:
    """The date columns as days since 2000-01-01, shape (rows, columns); NaN where there is no date."""
    made = []
    for block in blocks:
        column = columns[block["column"]]
        form = column["date_format"] or ISO
        read = partial(read_date, form=form)
        made.append(list(read_cells(rows, column, read, f"a date in the format {form}")))
    return {DATES: np.array(made, "float32").T}


def read_date(cell: Any, form: str) -> float:
    """A date as days since 2000-01-01, the time of day as the fraction; NaN where there is none."""
    if isinstance(cell, np.datetime64):
        cell = cell.astype("datetime64[us]").item()
    stamp = cell if isinstance(cell, datetime) else _date(cell_text(cell), form)
    if stamp is None or stamp != stamp:  # NaT
        return np.nan
    return ((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)) - ORIGIN) / timedelta(days=1)


def _date(text: str, form: str) -> datetime | None:
    try:
        return datetime.fromisoformat(_iso(text)) if form == ISO else datetime.strptime(text, form)
    except ValueError:
        return None


def _iso(text: str) -> str:
    """The text as Python's own reading of ISO dates wants it: 2020-1 becomes 2020-01-01."""
    found = re.fullmatch(r"(\d{4})(?:[-/](\d{1,2}))?(?:[-/](\d{1,2}))?(?:[T ](\d{1,2})(.*))?", text)
    if not found:
        return text
    year, month, day, hour, rest = found.groups()
    return f"{year}-{month or 1:0>2}-{day or 1:0>2}" + (f"T{hour:0>2}{rest}" if hour else "")


def _inputs(blocks: Sequence[DateBlock]) -> tuple[FileInput, ...]:
    meaning = f"days since {DATE_ORIGIN}, the time of day as the fraction; NaN where there is none"
    return tuple(FileInput(block.column, (block.column,), "double", (1,), meaning) for block in blocks)


def _nodes(
    graph: Graph, blocks: Sequence[DateBlock], schema: Schema, names: Sequence[str]
) -> dict[str, list[str]]:
    return {DATES: [number_node(graph, graph.input(name, "double"), 0.0, ()) for name in names]}


def _feed(blocks: Sequence[DateBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    days = [(rows[b.column] - pd.Timestamp(DATE_ORIGIN)) / pd.Timedelta(days=1) for b in blocks]
    return [np.asarray(each, "float64").reshape(-1, 1) for each in days]


DATE = DeployedKind(encoded_dates, _inputs, _nodes, _feed)
