"""Which columns are read as texts, and their ids side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from composable.data.encoding import FIRST, TEXTS, Encoding, TextTable
from composable.data.frames import column_of
from composable.data.names import shown
from composable.data.parse import parse_texts
from composable.data.schema import Column, Notice
from composable.data.text_ids import fit_text, text_ids

_MANY = 100  # different texts of a category column, from which its words are looked at as well
_WORDS = 1.5  # in a text on average, likewise


def fit_texts(frame: pd.DataFrame, features: Sequence[Column]) -> tuple[TextTable, ...]:
    """The vocabularies of the columns of free text, and of categories with many names of several words.

    Args:
        frame: The training rows.
        features: The columns to learn from.
    """
    kinds = [column for column in features if column.kind in ("text", "category")]
    found = ((c, _texts(frame, c)) for c in kinds)
    return tuple(fit_text(texts, c.name) for c, texts in found if c.kind == "text" or _speaks(texts))


def encoded_texts(
    frame: pd.DataFrame, columns: Mapping[str, Column], tables: Sequence[TextTable]
) -> dict[str, np.ndarray]:
    """The ids of all columns of texts by the name of the model's input, see `TextTable`; int32."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in TEXTS}
    starts: dict[str, int] = dict.fromkeys(TEXTS, 0)
    for table in tables:
        texts = _texts(frame, columns[table.column])
        for name, ids in text_ids(texts, table).items():
            parts[name].append(np.where(ids >= FIRST, ids + starts[name], ids).astype("int32"))
        for name, vocabulary in table.vocabularies.items():
            starts[name] += len(vocabulary)
    return {name: np.concatenate(found, axis=1) for name, found in parts.items() if found}


def text_notices(encoding: Encoding, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """How each column of texts is read, and how many texts are cut."""
    first = 0
    for table in encoding.texts:
        cut = int((inputs["words"][:, first + table.length - 1] > 0).sum())
        first += table.length
        size = sum(map(len, (table.words, table.pairs, table.characters)))
        yield Notice(
            f"{shown(table.column)} is read as text: {size:,} words, pairs of words and runs of characters "
            f"have a meaning; where order counts, the first {table.length} words are read ({cut} texts have "
            "as many or more).",
            column=table.column,
        )


def _texts(frame: pd.DataFrame, column: Column) -> pd.Series:
    return parse_texts(column_of(frame, column.name), replace(column, kind="text"))


def _speaks(texts: pd.Series) -> bool:
    """Whether there are many different texts, most of them of several words."""
    different = pd.Series(texts.dropna().unique(), dtype="str")
    return len(different) > _MANY and float(different.str.count(r"\S+").mean()) >= _WORDS
