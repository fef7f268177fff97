"""Which words decide what a model of texts predicts, and which of them mislead it: `texts.json`.

How predictions change when words are left out, one after another, says so for any model. Occlusion, as Li,
Monroe & Jurafsky 2016, "Understanding Neural Networks through Representation Erasure", arXiv:1612.08220,
section 3, erase words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from composable.core.budget import Deadline
from composable.data.encoding import Encoding, encode
from composable.data.frames import column_of
from composable.data.kinds.text import TextBlock
from composable.data.parse import raw_texts
from composable.data.texts import tokens, word_places
from composable.explain.explained_model import ExplainedModel, Predict, worst_errors
from composable.explain.ngram_effects import Effects, Ngram, linear_word_effects, strongest
from composable.problem.kinds import kind_of
from composable.problem.problem import Head
from composable.training.linear_texts import linear_texts
from composable.training.stages.stage import part_of

WORST = 12  # texts
_ROWS = 300  # in which words are left out, where a model has no weights of n-grams
_ERRORS_SHARE = 0.5  # of the time, where words are left out for both
LETTERS = 6_000  # of a text that are looked at; the others are always there
PIECES, _FEWEST = 60, 4  # of a text, each left out once: the fewer, the longer the text
Span = tuple[int, int]


def text_errors(model: ExplainedModel, deadline: Deadline) -> dict[str, Any]:
    """The content of `texts.json`, see docs/run-folder.md; what the deadline cuts off is left out."""
    blocks = model.encoding.of(TextBlock)
    cells = {block.column: raw_texts(column_of(model.frame, block.column)) for block in blocks}
    rows = TextRows(
        model.inputs,
        pd.DataFrame(cells, index=model.frame.index),
        lambda cells: encode(cells, model.schema, Encoding(blocks)),
    )
    solver, weights = model.candidate.solver, None
    if solver is not None and solver.component is linear_texts:
        weights = linear_word_effects(
            model.network, solver, model.encoding, model.inputs, model.postprocessing[0]
        )
    errors_until = part_of(deadline, _ERRORS_SHARE) if weights is None else deadline
    errors = marked_errors(
        model.predict, model.head, rows, model.observed[0], model.predicted[0], deadline=errors_until
    )
    effects = weights or word_effects(
        model.predict, model.head, rows, most=_ROWS, seed=model.seed, deadline=deadline
    )
    return {
        "format": "composable.texts/2",
        "head": model.head.name,
        "how": "occlusion" if weights is None else "weights",
        "words": strongest(model.head, effects),
        "errors": errors,
    }


def marked_errors(
    predict: Predict,
    head: Head,
    rows: TextRows,
    observed: np.ndarray,
    predicted: np.ndarray,
    *,
    deadline: Deadline,
) -> list[dict[str, Any]]:
    """The worst errors, with how much each word speaks for the answer; after the deadline unmarked.

    Args:
        predict: From inputs to predictions, one array per head.
        head: The first head.
        rows: The rows.
        observed: Their targets of that head.
        predicted: What is predicted for them.
        deadline: When to stop leaving words out.
    """
    errors = []
    effects = kind_of(head).effects
    for row in worst_errors(head, observed, predicted, most=WORST):
        direction, texts = effects.error_direction(observed[row], predicted[row]), []
        for column in rows.columns:
            text = rows.text(row, column)
            spans, weights = pieces_of(text), np.zeros(0)
            if spans and deadline.remaining > 0:
                weights = occlusion(predict, head, rows, row=row, column=column, spans=spans) @ direction
            texts.append({"column": column, **_marked(text, spans if len(weights) else [], weights)})
        errors.append({**effects.outcome(head, observed[row], predicted[row]), "texts": texts})
    return errors


def _marked(text: str, spans: Sequence[Span], weights: np.ndarray) -> Mapping[str, Any]:
    """A text in pieces, each with how much it speaks for the answer, from -1 to 1."""
    largest = max(float(np.abs(weights).max(initial=0.0)), 1e-9)
    pieces: list[tuple[str, float]] = []
    end = 0
    for (first, last), weight in zip(spans, (weights / largest).tolist(), strict=True):
        if first > end:
            pieces.append((text[end:first], 0.0))
        pieces.append((text[first:last], round(weight, 3)))
        end = last
    pieces.append((text[end:LETTERS], 0.0))
    return {"pieces": [piece for piece in pieces if piece[0]], "complete": len(text) <= LETTERS}


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
    return max(_FEWEST, min(PIECES, 4 * PIECES * LETTERS // max(len(text), 1)))
