"""Which words decide what a model of texts predicts, and which of them mislead it: `texts.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from composable.core.budget import Deadline
from composable.data.encoding import Encoding, encode
from composable.data.frames import column_of
from composable.data.kinds.text import TextBlock
from composable.data.parse import raw_texts
from composable.explain.explained_model import ExplainedModel, Predict, worst_errors
from composable.explain.ngram_effects import linear_word_effects, strongest
from composable.explain.occlusion import LETTERS, Span, TextRows, occlusion, pieces_of, word_effects
from composable.problem.kinds import kind_of
from composable.problem.problem import Head
from composable.training.linear_texts import linear_texts
from composable.training.stages.stage import part_of

WORST = 12  # texts
_ROWS = 300  # in which words are left out, where a model has no weights of n-grams
_ERRORS_SHARE = 0.5  # of the time, where words are left out for both


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
