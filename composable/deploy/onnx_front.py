"""In front of the network: one ONNX input per raw column, made into the model's inputs by standard nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from composable.core.optional import optional
from composable.data.encoding import FIRST, MISSING, UNKNOWN, CategoryTable, Encoding, TextTable
from composable.data.numerals import Writing, numbers_from
from composable.data.schema import Column, Schema
from composable.deploy.onnx_graph import Graph

NO_VALUE = (
    "",
    "?",
)  # texts that mean "no value" in every column, as `composable.data.parse.parse_texts` has it
LARGEST = 3e38  # as `composable.data.encode` has it: just inside float32
BLANKS = ("\n", "\r", "\t", "\v", "\f", "\u00a0", "\u3000", " ")  # StringSplit knows one delimiter at a time


def raw_inputs(graph: Graph, schema: Schema, encoding: Encoding, names: Mapping[str, str]) -> dict[str, str]:
    """Add the inputs and the nodes behind them.

    Args:
        graph: What to add to.
        schema: States each column's marks for "no value".
        encoding: States the columns and their tables.
        names: The ONNX name of each column.

    Returns:
        For each of the model's inputs the value in the graph that feeds it.
    """
    double, text = (
        optional("onnx", extra="onnx").TensorProto.DOUBLE,
        optional("onnx", extra="onnx").TensorProto.STRING,
    )
    parts: dict[str, list[str]] = {"numbers": [], "dates": [], "categories": [], "texts": []}
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
    for words in encoding.texts:
        parts["texts"].append(_text(graph, graph.input(names[words.column], text), words))
    feeds = {name: graph.add("Concat", columns, axis=1) for name, columns in parts.items() if columns}
    pixels = optional("onnx", extra="onnx").TensorProto.UINT8
    for image in encoding.images:
        feeds |= {"images": graph.input(names[image.column], pixels, image.shape)}
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


def _text(graph: Graph, value: str, table: TextTable) -> str:
    """Lower case, split at blanks, a bucket per token: 1 where any token falls into it."""
    flat = graph.add("Squeeze", [value, graph.integers([1])])
    # "C" is the one locale that every machine has; it lowers A to Z.
    tokens = graph.add("StringNormalizer", [flat], case_change_action="LOWER", locale="C")
    for blank in BLANKS:
        tokens = graph.add("StringSplit", [tokens], outputs=2, delimiter=blank)
    buckets = {
        form: bucket for token, bucket in table.tokens.items() for form in _after_ascii_lowering(token)
    }
    found = _lookup(graph, tokens, buckets, table.buckets)
    slots = graph.add("OneHot", [found, graph.integer(table.buckets + 1), graph.floats([0.0, 1.0])], axis=-1)
    # One axis per split lies between the rows and the slots; a text without tokens leaves one of them empty.
    among = graph.add("ReduceMax", [slots, graph.integers(range(1, len(BLANKS) + 1))], keepdims=0)
    present = graph.add("Max", [among, graph.floats([0.0])])
    bounds = [graph.integers([0]), graph.integers([table.buckets]), graph.integers([1])]
    return graph.add("Slice", [present, *bounds])


def _after_ascii_lowering(token: str) -> set[str]:
    """The token as the "C" locale leaves it: letters beyond ASCII stay capital at the start or throughout."""
    upper = "".join(letter if letter.isascii() else letter.upper() for letter in token)
    first = upper[:1] + token[1:]
    return {token, upper, first}


def _lookup(graph: Graph, value: str, table: Mapping[str, int], otherwise: int) -> str:
    return graph.add(
        "LabelEncoder",
        [value],
        domain="ai.onnx.ml",
        keys_strings=list(table) or [""],
        values_int64s=list(table.values()) or [otherwise],
        default_int64=otherwise,
    )
