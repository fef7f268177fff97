"""Categories, read by the emitted client and by ONNX files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from composable.core.optional import optional
from composable.data.kinds.category import CATEGORIES, CategoryBlock
from composable.data.schema import FIRST, MISSING, UNKNOWN, Schema
from composable.deploy.kinds.kind import DeployedKind, FileInput, Rows, Table, TypedRows, read_texts
from composable.deploy.onnx.graph import Graph

_NO_VALUE = ("", "?")  # texts that mean "no value" in every column, as `parse_texts` has it


def encoded_categories(
    rows: Rows, blocks: Sequence[Table], columns: Mapping[str, Table]
) -> dict[str, np.ndarray]:
    """The category columns as codes, shape (rows, columns)."""
    made = []
    for block in blocks:
        if "codes" not in block:  # kept for the next rows
            block["codes"] = {value: FIRST + number for number, value in enumerate(block["values"])}
        codes = block["codes"]
        cells = read_texts(rows, columns[block["column"]])
        texts = [cell if cell is None else re.sub(r"^([+-]?\d+)\.0+$", r"\1", cell) for cell in cells]
        spelled = [block["spellings"].get(text, text) for text in texts]
        made.append([MISSING if text is None else codes.get(text, UNKNOWN) for text in spelled])
    return {CATEGORIES: np.array(made, "int32").T}


def _inputs(blocks: Sequence[CategoryBlock]) -> tuple[FileInput, ...]:
    meaning = 'the value as it was written in the training data; "" where there is none'
    return tuple(FileInput(block.column, (block.column,), "string", (1,), meaning) for block in blocks)


def _nodes(
    graph: Graph, blocks: Sequence[CategoryBlock], schema: Schema, names: Sequence[str]
) -> dict[str, list[str]]:
    found = []
    for block, name in zip(blocks, names, strict=True):
        missing = dict.fromkeys((*_NO_VALUE, *schema.column(block.column).missing), MISSING)
        found.append(_codes(graph, graph.input(name, "string"), missing | block.codes))
    return {CATEGORIES: found}


def _codes(graph: Graph, value: str, codes: Mapping[str, int]) -> str:
    found = graph.add(
        "LabelEncoder",
        [value],
        domain="ai.onnx.ml",
        keys_strings=list(codes),
        values_int64s=list(codes.values()),
        default_int64=UNKNOWN,
    )
    return graph.add("Cast", [found], to=optional("onnx", extra="onnx").TensorProto.INT32)


def _feed(blocks: Sequence[CategoryBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    return [
        np.array(["" if pd.isna(cell) else cell for cell in rows[block.column]], dtype=object).reshape(-1, 1)
        for block in blocks
    ]


CATEGORY = DeployedKind(encoded_categories, _inputs, _nodes, _feed)
