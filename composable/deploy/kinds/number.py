"""Numbers, read by the emitted client and by ONNX files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from composable.core.optional import optional
from composable.data.kinds.number import LARGEST, NUMBERS, NumberBlock, missing_numbers
from composable.data.notation import Writing
from composable.data.schema import Schema
from composable.deploy.kinds.kind import (
    DeployedKind,
    FileInput,
    Rows,
    Table,
    TypedRows,
    cell_text,
    read_cells,
)
from composable.deploy.onnx.graph import Graph


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


def _inputs(blocks: Sequence[NumberBlock]) -> tuple[FileInput, ...]:
    meaning = "a number; NaN where there is none"
    return tuple(FileInput(block.column, (block.column,), "double", (1,), meaning) for block in blocks)


def _nodes(
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


def _feed(blocks: Sequence[NumberBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    return [np.asarray(rows[block.column], "float64").reshape(-1, 1) for block in blocks]


NUMBER = DeployedKind(encoded_numbers, _inputs, _nodes, _feed)
