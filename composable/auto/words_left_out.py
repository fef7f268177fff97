"""What a model of texts says when words are left out, one after another: for any model.

Occlusion, as Li, Monroe & Jurafsky 2016, "Understanding Neural Networks through Representation Erasure",
arXiv:1612.08220, section 3, erase words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from composable.auto.deciding import Effects, Gram
from composable.auto.worst_errors import chances
from composable.core.budget import Deadline
from composable.data.frames import column_of
from composable.data.text_tokens import tokens, word_places
from composable.problem.problem import Head

Ask = Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]
Span = tuple[int, int]

LETTERS = 6_000  # of a text that are looked at; the others are always there
PIECES, FEWEST = 60, 4  # of a text, each left out once: the fewer, the longer the text
_SURE = 1e-6  # of a probability, lest its logarithm is infinite


@dataclass(frozen=True, eq=False)
class HeldTexts:
    """Rows that were not learned from.

    Attributes:
        inputs: Of the model.
        observed: Per head.
        predicted: Per head.
        cells: Their texts, a column for each that is read.
        encode: From such cells to the model's inputs of texts.
    """

    inputs: Mapping[str, np.ndarray]
    observed: Sequence[np.ndarray]
    predicted: Sequence[np.ndarray]
    cells: pd.DataFrame
    encode: Callable[[pd.DataFrame], Mapping[str, np.ndarray]]

    def text(self, row: int, column: str) -> str:
        """A cell, "" where there is nothing."""
        cell = column_of(self.cells, column).iloc[row]
        return cell if isinstance(cell, str) else ""


def pieces_of(text: str) -> list[Span]:
    """Where the words begin and end; of many words several neighbors are one piece."""
    places = word_places(text[:LETTERS])
    size = -(-len(places) // _times(text)) or 1
    runs = [places[start : start + size] for start in range(0, len(places), size)]
    return [(run[0][0], run[-1][1]) for run in runs]


def left_out(
    ask: Ask, head: Head, held: HeldTexts, *, row: int, column: str, spans: Sequence[Span]
) -> np.ndarray:
    """How much each of these spans of a cell adds to each answer.

    Args:
        ask: From inputs to answers, one array per head.
        head: The first question.
        held: The rows.
        row: Which of them.
        column: Which of its texts.
        spans: Where what is left out begins and ends.

    Returns:
        (spans, answers): log odds of classes or labels, or numbers, with the span minus without it.
    """
    text = held.text(row, column)
    copies = [text, *(f"{text[:first]} {text[end:]}" for first, end in spans)]
    cells = held.cells.iloc[np.full(len(copies), row)].reset_index(drop=True)
    cells = cells.assign(**{column: pd.Series(copies, dtype="str")})
    one = {name: values[row : row + 1] for name, values in held.inputs.items()}
    others = {name: np.repeat(values, len(copies), axis=0) for name, values in one.items()}
    said = _scores(head, ask({**others, **held.encode(cells)})[0])
    return said[0] - said[1:]


def words_left_out(
    ask: Ask, head: Head, held: HeldTexts, *, rows: int, seed: int, deadline: Deadline
) -> Effects:
    """The mean of what each word adds, over some rows that hold it.

    Args:
        ask: From inputs to answers, one array per head.
        head: The first question.
        held: The rows.
        rows: So many of them at most.
        seed: Of which rows, and which words of long texts.
        deadline: After it no further row is looked at.
    """
    rng = np.random.default_rng(seed)
    sums: dict[Gram, np.ndarray] = {}
    counts: dict[Gram, int] = {}
    for row in rng.permutation(len(held.cells))[:rows]:
        for column in map(str, held.cells.columns):
            if deadline.remaining <= 0:
                break
            text = held.text(row, column)
            places = word_places(text[:LETTERS])
            some = [places[n] for n in rng.permutation(len(places))[: _times(text)]]
            found = left_out(ask, head, held, row=row, column=column, spans=some) if some else ()
            for (first, end), effect in zip(some, found, strict=True):
                gram = Gram(column, "words", " ".join(tokens(text[first:end])))
                sums[gram] = sums.get(gram, 0.0) + effect
                counts[gram] = counts.get(gram, 0) + 1
    return Effects(list(sums), np.array(list(sums.values())), np.array(list(counts.values())))


def _times(text: str) -> int:
    """How often a part of the text is left out: each time all the rest is read."""
    return max(FEWEST, min(PIECES, 4 * PIECES * LETTERS // max(len(text), 1)))


def _scores(head: Head, answers: np.ndarray) -> np.ndarray:
    """Log odds of each class or label; numbers as they are."""
    if head.kind == "regression":
        return answers
    each = np.clip(chances(head, answers), _SURE, 1 - _SURE)
    return np.log(each) - np.log1p(-each)
