"""N-grams and what they do to the answers, the most decisive first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from composable.problem.problem import Head

MOST = 12  # n-grams of an answer
ANSWERS = 100  # at most; of more classes the others are left out
_LEAST = 2  # rows that must hold an n-gram: what one holds may decide by chance


class Gram(NamedTuple):
    """Words, or a run of characters, of a column."""

    column: str
    kind: Literal["words", "characters"]
    text: str


@dataclass(frozen=True, eq=False)
class Effects:
    """What n-grams do in some rows.

    Attributes:
        grams: Each once.
        totals: (grams, scores or answers) the sum of what each adds in all rows that hold it.
        rows: (grams,) how many those are.
    """

    grams: list[Gram]
    totals: np.ndarray
    rows: np.ndarray


def deciding(head: Head, effects: Effects) -> list[dict[str, Any]]:
    """For each answer the n-grams that speak for it the most.

    They are ordered by the mean effect times the square root of the rows: by the mean alone rare ones would
    come first, and by the sum those that every text holds.

    Args:
        head: The question.
        effects: On its scores, or on all its answers.

    Returns:
        `words` of `texts.json`, see docs/run-folder.md.
    """
    often = np.flatnonzero(effects.rows >= _LEAST)
    if not len(often):
        return []
    totals = effects.totals[often]
    return [
        {"answer": answer, "grams": _strongest(effects, often, column / np.sqrt(effects.rows[often]))}
        for answer, column in _by_answer(head, totals)
    ]


def _by_answer(head: Head, totals: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each answer and what speaks for it, per n-gram."""
    if head.kind == "regression":
        yield from (("higher", totals[:, 0]), ("lower", -totals[:, 0]))
    elif head.kind == "binary":
        yield from ((str(head.labels[1]), totals[:, -1]), (str(head.labels[0]), -totals[:, -1]))
    else:
        # Softmax sees only how scores differ from each other.
        apart = totals - totals.mean(axis=1, keepdims=True) if head.kind == "multiclass" else totals
        names = head.labels if head.kind == "multiclass" else head.targets
        yield from ((str(name), apart[:, place]) for place, name in enumerate(names[:ANSWERS]))


def _strongest(effects: Effects, often: np.ndarray, strength: np.ndarray) -> list[dict[str, Any]]:
    found = []
    for place in np.argsort(-strength, kind="stable")[:MOST]:
        if strength[place] > 0:
            gram, rows = effects.grams[often[place]], int(effects.rows[often[place]])
            effect = float(strength[place] / np.sqrt(rows))
            found.append({**gram._asdict(), "rows": rows, "effect": effect})
    return found
