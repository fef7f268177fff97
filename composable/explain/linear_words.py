"""What each n-gram adds to the logits of a linear model of texts, read from its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from composable.data.encoding import Encoding
from composable.data.kinds.text import TextBlock
from composable.design.part import Part
from composable.design.taps import named
from composable.explain.ngram_effects import Effects, Ngram
from composable.problem.postprocessing import PostProcessing
from composable.training.tfidf import incidence_matrices, inverse_lengths


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
