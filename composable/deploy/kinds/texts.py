"""Categories and texts, read by the emitted client and by ONNX files.

Of texts an ONNX file takes the ids: no operator takes words apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from composable.codegen.definitions import Definitions, import_lines
from composable.core.packages import optional
from composable.data.encoding import Encoding, encode
from composable.data.kinds.category import CATEGORIES, CategoryBlock
from composable.data.kinds.text import TextBlock
from composable.data.schema import FIRST, MISSING, UNKNOWN, UNKNOWN_WORD, Schema
from composable.data.texts import character_ngrams, tokens
from composable.deploy.kinds.kind import DeployedKind, FileInput, Rows, Table, TypedRows, read_texts
from composable.deploy.onnx_graph import Graph

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


def _category_inputs(blocks: Sequence[CategoryBlock]) -> tuple[FileInput, ...]:
    meaning = 'the value as it was written in the training data; "" where there is none'
    return tuple(FileInput(block.column, (block.column,), "string", (1,), meaning) for block in blocks)


def _category_nodes(
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


def _category_feed(blocks: Sequence[CategoryBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    return [
        np.array(["" if pd.isna(cell) else cell for cell in rows[block.column]], dtype=object).reshape(-1, 1)
        for block in blocks
    ]


CATEGORY = DeployedKind(encoded_categories, _category_inputs, _category_nodes, _category_feed)


PROGRAM, CARD = "texts.py", "bundle.json"
_ENCODED = f'''\
def encoded(folder, rows) -> dict[str, np.ndarray]:
    """What the ONNX file takes of the columns of texts, by the name of its input.

    Args:
        folder: Where {CARD} lies.
        rows: The cells of each column by its name; None where there is none.
    """
    tables = json.loads((Path(folder) / "{CARD}").read_text(encoding="utf-8"))
    columns = {{column["name"]: column for column in tables["schema"]["columns"]}}
    blocks = [block for block in tables["encoding"]["blocks"] if block["kind"] == "text"]
    return encoded_texts(rows, blocks, columns)'''


def encoded_texts(rows: Rows, blocks: Sequence[Table], columns: Mapping[str, Table]) -> dict[str, np.ndarray]:
    """The ids of the words of the text columns in their order, and ascending those of what they hold.

    Each of shape (rows, widths of all columns); 0 after the last id. The ids of a column follow those of the
    column before.
    """
    made: dict[str, list[np.ndarray]] = {"words": [], "ngrams": [], "characters": []}
    starts = dict.fromkeys(made, FIRST)
    for block in blocks:
        known = block["vocabulary"]
        if "ids" not in block:  # kept for the next rows
            entries = {
                "words": known["words"],
                "ngrams": [*known["words"], *known["pairs"]],
                "characters": known["characters"],
            }
            block["ids"] = {
                name: {entry: starts[name] + number for number, entry in enumerate(each)}
                for name, each in entries.items()
            }
        ids = block["ids"]
        texts = [tokens(text or "") for text in read_texts(rows, columns[block["column"]])]
        starts = {name: start + len(ids[name]) for name, start in starts.items()}
        held = {
            "ngrams": [{*words, *map(" ".join, pairwise(words))} for words in texts],
            "characters": [{part for word in words for part in character_ngrams(word)} for words in texts],
        }
        found = {
            name: [sorted(ids[name][part] for part in each if part in ids[name]) for each in rows_of]
            for name, rows_of in held.items()
        }
        found["words"] = [[ids["words"].get(word, UNKNOWN_WORD) for word in words] for words in texts]
        made["words"].append(filled(found["words"], known["length"]))
        made["ngrams"].append(filled(found["ngrams"], known["most_ngrams"]))
        if known["most_characters"]:
            made["characters"].append(filled(found["characters"], known["most_characters"]))
    return {name: np.concatenate(each, axis=1) for name, each in made.items() if each}


def filled(rows: Sequence[Sequence[int]], width: int) -> np.ndarray:
    """The first ids of each row, then zeros, shape (rows, width)."""
    made = np.zeros((len(rows), width), "int32")
    for ids_of_row, row in zip(made, rows, strict=True):
        ids_of_row[: min(len(row), width)] = row[:width]
    return made


def text_program() -> str:
    """The program beside an ONNX file that makes ids of raw cells; the same for all models."""
    definitions = Definitions(reserved=frozenset({"encoded"}))
    definitions.add(json)
    definitions.imported(("pathlib", "Path"))
    definitions.add(encoded_texts)
    constants, functions = definitions.texts(definitions.names())
    heading = (
        f'"""Texts to ids, for the ONNX file beside this one: `encoded(folder, rows)`, with {CARD} there."""'
    )
    top = [heading, import_lines(definitions.imports), "\n".join(constants)]
    return "\n\n\n".join(["\n\n".join(top), *functions, _ENCODED]) + "\n"


def _text_inputs(blocks: Sequence[TextBlock]) -> tuple[FileInput, ...]:
    found = []
    for name, width in Encoding(tuple(blocks)).widths.items():
        columns = tuple(block.column for block in blocks if name in block.vocabulary.widths)
        meaning = f"what `{name}` of {PROGRAM} gives for these columns"
        found.append(FileInput(name, columns, "int32", (width,), meaning, whole=True))
    return tuple(found)


def _text_nodes(
    graph: Graph, blocks: Sequence[TextBlock], schema: Schema, names: Sequence[str]
) -> dict[str, list[str]]:
    widths = Encoding(tuple(blocks)).widths
    inputs = zip(widths.items(), names, strict=True)
    return {model: [graph.input(name, "int32", (width,))] for (model, width), name in inputs}


def _text_feed(blocks: Sequence[TextBlock], schema: Schema, rows: TypedRows) -> list[np.ndarray]:
    texts = pd.DataFrame({block.column: rows[block.column] for block in blocks})
    return list(encode(texts, schema, Encoding(tuple(blocks))).values())


TEXT = DeployedKind(encoded_texts, _text_inputs, _text_nodes, _text_feed, text_program)
