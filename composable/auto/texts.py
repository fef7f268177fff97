"""Which words decide what a model of texts says, and which of them mislead it: `texts.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from composable.auto.deciding import Effects, deciding
from composable.auto.words_left_out import (
    LETTERS,
    Ask,
    HeldTexts,
    Span,
    left_out,
    pieces_of,
    words_left_out,
)
from composable.auto.worst_errors import said_of, worst_errors
from composable.core.budget import Deadline
from composable.problem.problem import Head
from composable.training.stages.stage import part_of

WORST = 12  # texts
_ROWS = 300  # in which words are left out, where a model has no weights of n-grams
_ERRORS_SHARE = 0.5  # of the time, where words are left out for both


def texts(
    ask: Ask, head: Head, held: HeldTexts, *, weighed: Effects | None, seed: int, deadline: Deadline
) -> dict[str, Any]:
    """The content of `texts.json`, see docs/run-folder.md; what the deadline cuts off is left out.

    Args:
        ask: From inputs to answers, one array per head.
        head: The first question.
        held: What is shown.
        weighed: What the n-grams of a linear model do; None for any other model.
        seed: Of the rows in which words are left out.
        deadline: When to stop.
    """
    observed, predicted = held.observed[0], held.predicted[0]
    errors_until = part_of(deadline, _ERRORS_SHARE) if weighed is None else deadline
    errors = []
    for row in worst_errors(head, observed, predicted, most=WORST):
        blamed, cells = _blamed(head, observed[row], predicted[row]), []
        for column in map(str, held.cells.columns):
            text = held.text(row, column)
            spans, weights = pieces_of(text), np.zeros(0)
            if spans and errors_until.remaining > 0:
                weights = left_out(ask, head, held, row=row, column=column, spans=spans) @ blamed
            known = spans if len(weights) else []
            cells.append({"column": column, **_marked(text, known, weights)})
        errors.append({**said_of(head, observed[row], predicted[row]), "texts": cells})
    how = "weights" if weighed is not None else "leaving out"
    found = weighed or words_left_out(ask, head, held, rows=_ROWS, seed=seed, deadline=deadline)
    return {"head": head.name, "how": how, "words": deciding(head, found), "errors": errors}


def _marked(text: str, spans: Sequence[Span], weights: np.ndarray) -> Mapping[str, Any]:
    """A text in pieces, each with how much it speaks for what was said, from -1 to 1."""
    largest = max(float(np.abs(weights).max(initial=0.0)), 1e-9)
    pieces: list[tuple[str, float]] = []
    end = 0
    for (first, last), weight in zip(spans, (weights / largest).tolist(), strict=True):
        if first > end:
            pieces.append((text[end:first], 0.0))
        pieces.append((text[first:last], round(weight, 3)))
        end = last
    pieces.append((text[end:LETTERS], 0.0))
    return {"pieces": [piece for piece in pieces if piece[0]], "whole": len(text) <= LETTERS}


def _blamed(head: Head, observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Of each answer, 1 where a higher score made what was said, -1 where a lower one did."""
    if head.kind == "regression":
        return np.sign(predicted - observed)
    found = np.zeros(len(predicted) if head.kind == "multilabel" else max(2, len(predicted)))
    if head.kind == "multilabel":
        place = int(np.abs(predicted - observed).argmax())
        found[place] = 1.0 if predicted[place] > 0.5 else -1.0
    else:
        found[int(predicted[0] > 0.5) if head.kind == "binary" else int(predicted.argmax())] = 1.0
    return found
