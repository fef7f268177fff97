"""N-grams and what they do to the predictions, the strongest first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np

from composable.problem.kinds import kind_of
from composable.problem.problem import Head

MOST = 12  # n-grams of an answer
ANSWERS = 100  # at most; of more classes the others are left out
_LEAST = 2  # rows that must hold an n-gram: what one holds may decide by chance


class Ngram(NamedTuple):
    """Words or characters that stand in a column's texts."""

    column: str
    kind: Literal["words", "characters"]
    text: str


@dataclass(frozen=True, eq=False)
class Effects:
    """What n-grams do in some rows.

    Attributes:
        ngrams: Each once.
        totals: (n-grams, scores) the sum of what each adds to each score in all rows that hold it.
        rows: (n-grams,) how many rows those are.
    """

    ngrams: list[Ngram]
    totals: np.ndarray
    rows: np.ndarray


def strongest(head: Head, effects: Effects) -> list[dict[str, Any]]:
    """For each answer the n-grams that speak for it the most.

    They are ordered by the mean effect times the square root of the rows: by the mean alone rare ones would
    come first, and by the sum those that every text holds.

    Args:
        head: What is predicted.
        effects: On its logits, or on all its answers.

    Returns:
        `words` of `texts.json`, see docs/run-folder.md.
    """
    often = np.flatnonzero(effects.rows >= _LEAST)
    if not len(often):
        return []
    roots = np.sqrt(effects.rows[often])
    return [
        {"answer": answer, "ngrams": _strongest(effects, often, totals / roots)}
        for answer, totals in islice(kind_of(head).effects.named(head, effects.totals[often]), ANSWERS)
    ]


def _strongest(effects: Effects, often: np.ndarray, strength: np.ndarray) -> list[dict[str, Any]]:
    found = []
    for index in np.argsort(-strength, kind="stable")[:MOST]:
        if strength[index] > 0:
            ngram, rows = effects.ngrams[often[index]], int(effects.rows[often[index]])
            effect = float(strength[index] / np.sqrt(rows))
            found.append({**ngram._asdict(), "rows": rows, "effect": effect})
    return found
