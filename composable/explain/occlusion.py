"""How predictions change when words are left out, one after another: for any model of texts.

Occlusion, as Li, Monroe & Jurafsky 2016, "Understanding Neural Networks through Representation Erasure",
arXiv:1612.08220, section 3, erase words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from composable.core.budget import Deadline
from composable.data.frames import column_of
from composable.data.texts import tokens, word_places
from composable.explain.explained_model import Predict
from composable.explain.ngram_effects import Effects, Ngram
from composable.problem.kinds import kind_of
from composable.problem.problem import Head

Span = tuple[int, int]

LETTERS = 6_000  # of a text that are looked at; the others are always there
PIECES, FEWEST = 60, 4  # of a text, each left out once: the fewer, the longer the text


@dataclass(frozen=True, eq=False)
class TextRows:
    """Rows with their texts.

    Attributes:
        inputs: Of the model.
        cells: Their texts, a column for each that is read.
        encode: From such cells to the model's inputs of texts.
    """

    inputs: Mapping[str, np.ndarray]
    cells: pd.DataFrame
    encode: Callable[[pd.DataFrame], Mapping[str, np.ndarray]]

    @property
    def columns(self) -> list[str]:
        """The names of the columns of texts."""
        return list(map(str, self.cells.columns))

    def text(self, row: int, column: str) -> str:
        """A cell, "" where there is nothing."""
        cell = column_of(self.cells, column).iloc[row]
        return cell if isinstance(cell, str) else ""


def pieces_of(text: str) -> list[Span]:
    """Where the words begin and end; of many words several neighbors are one piece."""
    places = word_places(text[:LETTERS])
    size = -(-len(places) // _times(text)) or 1
    groups = [places[start : start + size] for start in range(0, len(places), size)]
    return [(group[0][0], group[-1][1]) for group in groups]


def occlusion(
    predict: Predict, head: Head, rows: TextRows, *, row: int, column: str, spans: Sequence[Span]
) -> np.ndarray:
    """How much each of these spans of a cell adds to each answer.

    Args:
        predict: From inputs to predictions, one array per head.
        head: The first head.
        rows: The rows.
        row: Which of them.
        column: Which of its texts.
        spans: Where what is left out begins and ends.

    Returns:
        (spans, answers): log odds of classes or labels, or numbers, with the span minus without it.
    """
    text = rows.text(row, column)
    copies = [text, *(f"{text[:first]} {text[end:]}" for first, end in spans)]
    cells = rows.cells.iloc[np.full(len(copies), row)].reset_index(drop=True)
    cells = cells.assign(**{column: pd.Series(copies, dtype="str")})
    one = {name: values[row : row + 1] for name, values in rows.inputs.items()}
    others = {name: np.repeat(values, len(copies), axis=0) for name, values in one.items()}
    scores = kind_of(head).effects.additive(predict({**others, **rows.encode(cells)})[0])
    return scores[0] - scores[1:]


def word_effects(
    predict: Predict, head: Head, rows: TextRows, *, most: int, seed: int, deadline: Deadline
) -> Effects:
    """The mean of what each word adds, over some rows that hold it.

    Args:
        predict: From inputs to predictions, one array per head.
        head: The first head.
        rows: The rows.
        most: So many of them at most.
        seed: Of which rows, and which words of long texts.
        deadline: After it no further row is looked at.
    """
    rng = np.random.default_rng(seed)
    sums: dict[Ngram, np.ndarray] = {}
    counts: dict[Ngram, int] = {}
    for row in rng.permutation(len(rows.cells))[:most]:
        for column in rows.columns:
            if deadline.remaining <= 0:
                break
            text = rows.text(row, column)
            places = word_places(text[:LETTERS])
            some = [places[n] for n in rng.permutation(len(places))[: _times(text)]]
            found = occlusion(predict, head, rows, row=row, column=column, spans=some) if some else ()
            for (first, end), effect in zip(some, found, strict=True):
                ngram = Ngram(column, "words", " ".join(tokens(text[first:end])))
                sums[ngram] = sums.get(ngram, 0.0) + effect
                counts[ngram] = counts.get(ngram, 0) + 1
    return Effects(list(sums), np.array(list(sums.values())), np.array(list(counts.values())))


def _times(text: str) -> int:
    """How often a part of the text is left out: each time all the rest is read."""
    return max(FEWEST, min(PIECES, 4 * PIECES * LETTERS // max(len(text), 1)))
