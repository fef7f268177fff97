"""Series, read by the emitted client and by ONNX files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from composable.data.kinds.number import missing_numbers
from composable.data.kinds.series import SeriesBlock
from composable.data.schema import Schema
from composable.data.series import LARGEST, SERIES
from composable.deploy.kinds.kind import (
    DeployedKind,
    FileInput,
    Rows,
    Table,
    TypedRows,
    column_of,
)
from composable.deploy.kinds.numbers import number_node, numbers_of
from composable.deploy.onnx_graph import Graph


def encoded_series(
    rows: Rows, blocks: Sequence[Table], columns: Mapping[str, Table]
) -> dict[str, np.ndarray]:
    """The series, shape (rows, steps, channels of all columns); NaN where there is no number."""
    made = []
    for block in blocks:
        column = columns[block["column"]]
        found = steps_in_columns(rows, column) if column["members"] else column_of(rows, column["name"])
        padded = np.full((len(found), block["length"], block["channels"]), np.nan)
        for row, one in zip(padded, found, strict=True):
            steps = np.asarray(one, "float64").reshape(len(one), -1)[: len(row)]
            row[: len(steps)] = np.where(np.isinf(steps), np.nan, steps)
        made.append(padded)
    return {SERIES: np.clip(np.concatenate(made, axis=-1), -LARGEST, LARGEST).astype("float32")}


def steps_in_columns(rows: Rows, column: Table) -> np.ndarray:
    """A series whose steps are columns, shape (rows, steps)."""
    steps = [numbers_of(rows, {**column, "name": name}) for name in column["members"]]
    return np.stack(steps, axis=-1)


def _inputs(blocks: Sequence[SeriesBlock]) -> tuple[FileInput, ...]:
    meaning = "numbers step by step, in their channels; NaN where there is none and after the last step"
    return tuple(
        FileInput(
            block.column,
            block.members or (block.column,),
            "double",
            (block.length, block.channels),
            meaning,
            whole=bool(block.members),
        )
        for block in blocks
    )


def _nodes(
    graph: Graph, blocks: Sequence[SeriesBlock], schema: Schema, names: Sequence[str]
) -> dict[str, list[str]]:
    found = []
    for block, name in zip(blocks, names, strict=True):
        value = graph.input(name, "double", (block.length, block.channels))
        found.append(number_node(graph, value, 0.0, missing_numbers(schema.column(block.column))))
    return {SERIES: found}


def _feed(blocks: Sequence[SeriesBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    found = []
    for block in blocks:
        if block.members:
            steps = np.stack([np.asarray(rows[name], "float64") for name in block.members], axis=1)
            found.append(steps[..., None])
        else:
            found.append(np.asarray(rows[block.column], "float64"))
    return found


SERIES_DEPLOYED = DeployedKind(encoded_series, _inputs, _nodes, _feed)
