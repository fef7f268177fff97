"""In front of the network: one ONNX input per raw column, made into the model's inputs by standard nodes.

Texts alone come in as ids: no standard operator takes words apart as `composable.data.text_tokens` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from composable.core.optional import optional
from composable.data.encoding import FIRST, MISSING, TEXTS, UNKNOWN, CategoryTable, Encoding
from composable.data.numerals import Writing, numbers_from
from composable.data.schema import Column, Schema
from composable.deploy.onnx_graph import Graph

NO_VALUE = (
    "",
    "?",
)  # texts that mean "no value" in every column, as `composable.data.parse.parse_texts` has it
LARGEST = 3e38  # as `composable.data.encode` has it: just inside float32


def raw_inputs(graph: Graph, schema: Schema, encoding: Encoding, names: Mapping[str, str]) -> dict[str, str]:
    """Add the inputs and the nodes behind them.

    Args:
        graph: What to add to.
        schema: States each column's marks for "no value".
        encoding: States the columns and their tables.
        names: The ONNX name of each column, and of each input of ids.

    Returns:
        For each of the model's inputs the value in the graph that feeds it.
    """
    double, text = (
        optional("onnx", extra="onnx").TensorProto.DOUBLE,
        optional("onnx", extra="onnx").TensorProto.STRING,
    )
    parts: dict[str, list[str]] = {"numbers": [], "dates": [], "categories": []}
    for number in encoding.numbers:
        sentinels = number_marks(schema.column(number.column))
        parts["numbers"].append(
            _number(graph, graph.input(names[number.column], double), number.offset, sentinels)
        )
    for date in encoding.dates:
        parts["dates"].append(_number(graph, graph.input(names[date], double), 0.0, ()))
    for table in encoding.categories:
        marks = (*NO_VALUE, *schema.column(table.column).missing)
        parts["categories"].append(_category(graph, graph.input(names[table.column], text), table, marks))
    feeds = {name: graph.add("Concat", columns, axis=1) for name, columns in parts.items() if columns}
    kinds = optional("onnx", extra="onnx").TensorProto
    ids = {name: width for name, width in encoding.widths.items() if name in TEXTS}
    feeds |= {name: graph.input(names[name], kinds.INT32, (width,)) for name, width in ids.items()}
    shown = [graph.input(names[image.column], kinds.UINT8, image.shape) for image in encoding.images]
    if shown:
        feeds["images"] = shown[0] if len(shown) == 1 else graph.add("Concat", shown, axis=-1)
    return feeds


def number_marks(column: Column) -> tuple[float, ...]:
    """The numbers that mean "no value" in this column, such as -999."""
    marks = pd.Series(column.missing, dtype="str")
    found = numbers_from(marks, Writing(column.decimal, column.thousands, column.affixes))
    return tuple(found[~np.isnan(found)].tolist())


def _number(graph: Graph, value: str, offset: float, marks: Sequence[float]) -> str:
    """Infinities and marks count as missing; the offset is taken off before the number loses precision."""
    missing = graph.doubles([float("nan")])
    value = graph.add("Where", [graph.add("IsInf", [value]), missing, value])
    for mark in marks:
        value = graph.add("Where", [graph.add("Equal", [value, graph.doubles([mark])]), missing, value])
    if offset:
        value = graph.add("Sub", [value, graph.doubles([offset])])
    value = graph.add("Clip", [value, graph.double(-LARGEST), graph.double(LARGEST)])
    return graph.add("Cast", [value], to=optional("onnx", extra="onnx").TensorProto.FLOAT)


def _category(graph: Graph, value: str, table: CategoryTable, marks: Iterable[str]) -> str:
    codes = dict.fromkeys(marks, MISSING)
    codes |= {text: FIRST + position for position, text in enumerate(table.values)}
    codes |= {spelling: codes[text] for spelling, text in table.spellings.items()}
    return graph.add(
        "Cast", [_lookup(graph, value, codes, UNKNOWN)], to=optional("onnx", extra="onnx").TensorProto.INT32
    )


def _lookup(graph: Graph, value: str, table: Mapping[str, int], otherwise: int) -> str:
    return graph.add(
        "LabelEncoder",
        [value],
        domain="ai.onnx.ml",
        keys_strings=list(table) or [""],
        values_int64s=list(table.values()) or [otherwise],
        default_int64=otherwise,
    )
