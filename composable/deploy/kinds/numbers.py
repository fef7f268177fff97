"""Numbers and dates, read by the emitted client and by ONNX files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from composable.core.packages import optional
from composable.data.kinds.date import DATES, DateBlock
from composable.data.kinds.number import LARGEST, NUMBERS, NumberBlock, missing_numbers
from composable.data.notation import ISO, Writing
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
from composable.deploy.onnx_graph import Graph


def encoded_numbers(
    rows: Rows, blocks: Sequence[Table], columns: Mapping[str, Table]
) -> dict[str, np.ndarray]:
    """The number columns, shape (rows, columns); NaN where there is no number."""
    made = [numbers_of(rows, columns[block["column"]]) - block["offset"] for block in blocks]
    return {NUMBERS: np.clip(np.array(made, "float64").T, -LARGEST, LARGEST).astype("float32")}


def numbers_of(rows: Rows, column: Table) -> np.ndarray:
    """The numbers of a column, shape (rows,); NaN where there is none."""
    writing = Writing(column["decimal"], column["thousands"], tuple(column["affixes"]))
    missing = [read_number(marker, writing) for marker in column["missing"]]  # such as -999
    values = np.array(
        list(read_cells(rows, column, partial(read_number, writing=writing), "a number")), "float64"
    )
    return np.where(np.isin(values, missing) | np.isinf(values), np.nan, values)


def read_number(cell: Any, writing: Writing) -> float:
    """A number as it is, or as its column writes numbers; NaN where there is none."""
    if isinstance(cell, int | float | np.number | np.bool_):
        return float(cell)
    text = cell_text(cell)
    if not re.fullmatch(writing.pattern, text, re.ASCII):
        return np.nan
    for affix in sorted(writing.affixes, key=len, reverse=True):
        text = text.replace(affix, "")
    if writing.affixes:
        text = "".join(text.split())
    if writing.thousands:
        text = text.replace(writing.thousands, "")
    return float(text.replace(writing.decimal, "."))


def _number_inputs(blocks: Sequence[NumberBlock]) -> tuple[FileInput, ...]:
    meaning = "a number; NaN where there is none"
    return tuple(FileInput(block.column, (block.column,), "double", (1,), meaning) for block in blocks)


def _number_nodes(
    graph: Graph, blocks: Sequence[NumberBlock], schema: Schema, names: Sequence[str]
) -> dict[str, list[str]]:
    found = [
        number_node(
            graph, graph.input(name, "double"), block.offset, missing_numbers(schema.column(block.column))
        )
        for block, name in zip(blocks, names, strict=True)
    ]
    return {NUMBERS: found}


def number_node(graph: Graph, value: str, offset: float, missing: Sequence[float]) -> str:
    """Infinities and missing markers become NaN; the offset is taken off before precision is lost."""
    nothing = graph.doubles([float("nan")])
    value = graph.add("Where", [graph.add("IsInf", [value]), nothing, value])
    for one in missing:
        value = graph.add("Where", [graph.add("Equal", [value, graph.doubles([one])]), nothing, value])
    if offset:
        value = graph.add("Sub", [value, graph.doubles([offset])])
    value = graph.add("Clip", [value, graph.double(-LARGEST), graph.double(LARGEST)])
    return graph.add("Cast", [value], to=optional("onnx", extra="onnx").TensorProto.FLOAT)


def _number_feed(blocks: Sequence[NumberBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    return [np.asarray(rows[block.column], "float64").reshape(-1, 1) for block in blocks]


NUMBER = DeployedKind(encoded_numbers, _number_inputs, _number_nodes, _number_feed)


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


def _date_inputs(blocks: Sequence[DateBlock]) -> tuple[FileInput, ...]:
    meaning = f"days since {DATE_ORIGIN}, the time of day as the fraction; NaN where there is none"
    return tuple(FileInput(block.column, (block.column,), "double", (1,), meaning) for block in blocks)


def _date_nodes(
    graph: Graph, blocks: Sequence[DateBlock], schema: Schema, names: Sequence[str]
) -> dict[str, list[str]]:
    return {DATES: [number_node(graph, graph.input(name, "double"), 0.0, ()) for name in names]}


def _date_feed(blocks: Sequence[DateBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    days = [(rows[b.column] - pd.Timestamp(DATE_ORIGIN)) / pd.Timedelta(days=1) for b in blocks]
    return [np.asarray(each, "float64").reshape(-1, 1) for each in days]


DATE = DeployedKind(encoded_dates, _date_inputs, _date_nodes, _date_feed)
