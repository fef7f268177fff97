"""Texts some of whose words are hidden; the hidden words are the targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import keras
import numpy as np
from keras import layers, ops
from pydantic import Field

from composable.core.errors import ConfigError, DataError
from composable.data.schema import FIRST, UNKNOWN_WORD
from composable.design.graph import deep_graphs
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.design.taps import tap
from composable.engine.objective import Goal
from composable.training.stages.pretrain.pretext import (
    Arrays,
    Pretext,
    Unlabeled,
    UnsuitedNetworkError,
    corrupted,
)

Share = Annotated[float, Field(gt=0, lt=1)]
WORDS, HIDDEN = "words", "hidden"  # inputs: the ids of a text's words, and the positions of hidden ones


@component
def masked_words(x: Unlabeled, *, share: Share = 0.15, classes: Count = 4000) -> Pretext:
    """Some of a text's words are replaced by the id of unknown ones; they are predicted from those around.

    Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
    arXiv:1810.04805, section 3.1, task 1, on the user's own texts; all chosen words are hidden, none kept.

    Args:
        x: The rows, with an input `words`.
        share: Of a text's words that are hidden, at least one (BERT: 0.15).
        classes: How many of the most frequent words are classes; other words are never hidden.

    Raises:
        DataError: If there are no words that could be hidden.
    """
    ids = _words(x)
    most = min(classes, int(ids[x.train].max(initial=0)) - FIRST + 1)
    if most < 2:
        raise DataError("Words are needed to hide some of them.", received="texts of unknown words alone")
    slots = max(1, round(share * ids.shape[1]))

    def corrupt(clean: Arrays, rng: np.random.Generator) -> tuple[Arrays, tuple[np.ndarray, ...]]:
        positions, originals = hidden(clean[WORDS], share=share, slots=slots, classes=most, rng=rng)
        shown = clean[WORDS].copy()
        rows, which = np.nonzero(originals)
        shown[rows, positions[rows, which]] = UNKNOWN_WORD
        return {**clean, WORDS: shown, HIDDEN: positions}, (originals,)

    copies = corrupted(x, corrupt)
    targets = copies.rows.targets[0]

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        known = targets[numbers] > 0
        return (
            float((outputs[0].argmax(axis=-1) == targets[numbers] - 1)[known].mean()) if known.any() else 0.0
        )

    counts = np.bincount(targets[copies.train].ravel(), minlength=most + 1)[1:]
    held_out = targets[copies.held_out]
    return Pretext(
        attach=lambda network: _hidden_word_network(network, slots, most),
        goals=(Goal(hidden_cross_entropy, hidden_cross_entropy),),
        rows=copies.rows,
        train=copies.train,
        held_out=copies.held_out,
        epochs=copies.epochs,
        figure="accuracy of hidden words",
        chance=float((held_out == 1 + counts.argmax()).sum() / max((held_out > 0).sum(), 1)),
        score=score,
    )


def reads_words_in_order(network: keras.Model) -> bool:
    """Whether what the network's learner gives has a vector for every word."""
    if WORDS not in {each.name for each in network.inputs}:
        return False
    length = next(each.shape[1] for each in network.inputs if each.name == WORDS)
    try:
        vectors: Any = keras.tree.flatten(tap(network, "encoding").output)[0]
    except ConfigError:  # the network has no such tap
        return False
    return len(vectors.shape) == 3 and vectors.shape[1] == length


def hidden(
    words: np.ndarray, *, share: float, slots: int, classes: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Which words of each text are hidden.

    Args:
        words: Ids, (rows, length).
        share: Of the words that may be hidden: those with one of the first `classes` ids.
        slots: So many at most.
        classes: How many words are classes.
        rng: Of the choice.

    Returns:
        int32 of shape (rows, slots): the positions, and the class of the word there, from 1 on; 0 where a
        slot is not used.
    """
    may = (words >= FIRST) & (words < FIRST + classes)
    order = np.argsort(np.where(may, rng.random(words.shape), 2.0), axis=1)[:, :slots]
    wanted = np.ceil(share * may.sum(axis=1, keepdims=True))
    used = np.arange(order.shape[1]) < wanted
    classes_there = np.where(used, np.take_along_axis(words, order, axis=1) - FIRST + 1, 0)
    return order.astype("int32"), classes_there.astype("int32")


def hidden_cross_entropy(y: Any, logits: Any, smoothing: Any = 0.0) -> Any:  # noqa: ARG001 (nothing to smooth)
    """The mean over slots that are used; (rows, slots) classes from 1 on, (rows, slots, classes) logits."""
    used: Any = ops.cast(ops.greater(y, 0), "float32")
    classes: Any = ops.cast(y, "int32")
    chosen = ops.maximum(classes - 1, 0)
    log_shares: Any = ops.log_softmax(logits, axis=-1)
    of_true: Any = ops.squeeze(ops.take_along_axis(log_shares, ops.expand_dims(chosen, -1), axis=-1), -1)
    total: Any = ops.sum(of_true * used, axis=-1)
    return -total / ops.maximum(ops.sum(used, axis=-1), 1.0)


def _words(x: Unlabeled) -> np.ndarray:
    if WORDS not in x.inputs:
        raise DataError(
            "Words are hidden in texts.",
            received=", ".join(f"{name} {values.shape}" for name, values in x.inputs.items())[:200],
            remedy="for tables there is the task `masking`, for images `jigsaw`",
        )
    return x.inputs[WORDS]


@deep_graphs()
def _hidden_word_network(network: keras.Model, slots: int, classes: int) -> keras.Model:
    """From the network's inputs and the hidden positions to the scores of the words there."""
    if not reads_words_in_order(network):
        raise UnsuitedNetworkError(
            "Hidden words are told by a network with a vector for every word.",
            received=f"the network {network.name}, which has none",
            remedy="take a network that reads words in their order, such as text_transformer",
        )
    positions: Any = keras.Input((slots,), dtype="int32", name=HIDDEN)
    vectors: Any = keras.tree.flatten(tap(network, "encoding").output)[0]
    there = ops.take_along_axis(vectors, ops.expand_dims(positions, -1), axis=1)
    inputs = {each.name: each for each in network.inputs} | {HIDDEN: positions}
    return keras.Model(inputs, layers.Dense(classes)(there))
