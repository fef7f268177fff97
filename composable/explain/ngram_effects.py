"""N-grams and what they do to the predictions, the strongest first.

Of a linear model of texts it is read from the weights; `composable.explain.text_errors` finds it for any
model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

import keras
import numpy as np

from composable.data.encoding import Encoding
from composable.data.kinds.text import TextBlock
from composable.design.part import Part
from composable.design.taps import named
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing
from composable.problem.problem import Head
from composable.training.linear_texts import incidence_matrices, inverse_lengths

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


def linear_word_effects(
    network: keras.Model,
    solver: Part,
    encoding: Encoding,
    inputs: Mapping[str, np.ndarray],
    last_step: PostProcessing,
) -> Effects:
    """The mean of what each n-gram adds to the logits of the first head, over the rows that hold it.

    Exact, as the logits are sums: an n-gram's weight over the length of its id set.

    Args:
        network: Fitted by `composable.training.linear_texts.linear_texts`.
        solver: That part, which says what is weighted.
        encoding: The vocabularies.
        inputs: Of rows that were not learned from.
        last_step: Of the head: its temperature, or the scale of its numbers.
    """
    known = solver.metaparameters
    id_sets: tuple[str, ...] = tuple(known["id_sets"])
    sizes: tuple[int, ...] = tuple(known["sizes"])
    weights, squares = (_values(network, end) for end in ("weights", "squares"))
    ngrams: list[Ngram] = []
    sums, counts, first = [], [], 0
    for id_set, incidence, size in zip(
        id_sets, incidence_matrices(inputs, id_sets, sizes), sizes, strict=True
    ):
        own, lengths = (values[first : first + size] for values in (weights, squares))
        ngrams += _names(encoding, id_set, size)
        sums.append(own * np.asarray(incidence.T @ inverse_lengths(incidence @ lengths)))
        counts.append(np.asarray(incidence.sum(axis=0)).ravel())
        first += size
    totals, rows = np.concatenate(sums) * (last_step.scale / last_step.temperature), np.concatenate(counts)
    held = np.flatnonzero(rows)
    return Effects([ngrams[index] for index in held], totals[held], rows[held])


def _values(network: keras.Model, end: str) -> np.ndarray:
    """Of the first head, (ids, scores)."""
    names = {layer.name for layer in network.layers}
    one = f"{named('head_0', 'logits')}_{end}"
    layer: Any = network.get_layer(one if one in names else f"logits_{end}")
    return np.asarray(layer.get_weights()[0], "float64")


def _names(encoding: Encoding, id_set: str, size: int) -> Sequence[Ngram]:
    """Of every id of an id set; the first ones have none."""
    kind = "characters" if id_set == "characters" else "words"
    known = [
        Ngram(block.column, kind, text)
        for block in encoding.of(TextBlock)
        for text in block.vocabulary.entries[id_set]
    ]
    return [*(Ngram("", kind, "") for _ in range(size - len(known))), *known]
