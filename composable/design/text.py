"""What models of text share: word ids in, 0 where there is none. What is padding changes no prediction.

After the embedding what flows is a pair: the vectors (rows, length, width), and 1 where there is a word and 0
where there is padding (rows, length, 1).

An id set says which of many features (words, n-grams) a row has: their ids, filled up with 0. The weights of
linear models of id sets are set by a closed-form fit; before it they are zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from composable.data.texts import BUCKETS, LEAST, WIDTH, fit_latent
from composable.design.metaparameters import Count
from composable.design.part import component

# Below 2**31 whatever is hashed: each prime times its factor, and the product of the primes.
_PRIMES = (32_749, 65_521)
_FACTORS = (48_271, 16_807)
_VECTORS, _SQUARES = "latent_vectors", "latent_squares"
AXES = "text_axes"  # the name of the layer
_LEAST_SET_LENGTH = 1e-9  # squared: an empty set adds nothing
_LEAST_TEXT_LENGTH = 1e-12  # squared: a text without known words lies in the middle of all


@component
def embedded(x: Any, *, vocabulary: Count, width: Count) -> Any:
    """A learned vector for every id below `vocabulary`; padding is all zeros."""
    there = known(x)
    return layers.Embedding(vocabulary, width, name="word_vectors")(x) * there, there


@component
def mean_of_words(x: Any) -> Any:
    """The mean of the vectors; padding doesn't count."""
    vectors, there = x
    total: Any = ops.sum(vectors * there, axis=1)
    return total / ops.maximum(ops.sum(there, axis=1), 1.0)


def known(ids: Any) -> Any:
    """1 where there is an id, 0 where there is padding, shape (rows, length, 1)."""
    return ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)


def hashed_ngrams(ids: Any, *, length: int, buckets: int) -> Any:
    """An id from 1 to `buckets` for the `length` words from each position on; 0 where one of them is padding.

    Two remainders of the polynomial whose coefficients are the word ids are read as one number: complete
    numbers of 32 bits never overflow on the way, so every backend finds the same buckets.
    """
    padded: Any = ops.pad(ids, ((0, 0), (0, length - 1)))
    words = [padded[:, start : (start - length + 1) or None] for start in range(length)]
    high, low = (_remainder(words, *each) for each in zip(_PRIMES, _FACTORS, strict=True))
    complete: Any = ops.ones_like(ids)
    for word in words:
        complete = complete * ops.cast(ops.not_equal(word, 0), "int32")
    found: Any = ops.mod(high * _PRIMES[1] + low, buckets)
    return (found + 1) * complete


def _remainder(words: list[Any], prime: int, factor: int) -> Any:
    found: Any = ops.zeros_like(words[0])
    for word in words:
        added: Any = ops.mod(found + ops.mod(word, prime), prime)
        found = ops.mod(added * factor, prime)
    return found


@component
def joined_id_sets(x: Mapping[str, Any], *, id_sets: tuple[str, ...], sizes: tuple[Count, ...]) -> Any:
    """Several id_sets of ids as one: the ids of each begin where those of the one before end; 0 stays 0.

    Args:
        x: Ids, each of shape (rows, width).
        id_sets: The names of the sets to join.
        sizes: How many ids each has, 0 among them.

    Returns:
        Shape (rows, widths).
    """
    found, first = [], 0
    for name, size in zip(id_sets, sizes, strict=True):
        ids = x[name]
        found.append(ops.where(ops.equal(ids, 0), 0, ids + first) if first else ids)
        first += size
    return ops.concatenate(found, axis=1) if len(found) > 1 else found[0]


@component
def weighted_id_sets(
    x: Any, *, units: Count, widths: tuple[Count, ...], vocabulary: Count, own_lengths: bool, name: str
) -> Any:
    """Score by the sum of the ids' weights over the id set's length, summed over the sets, and a bias.

    The length is the square root of the sum of the ids' squares, which are no parameters. Weights and squares
    of id 0 stay zero.

    Args:
        x: The ids of the sets side by side, shape (rows, sum of the widths).
        units: How many scores.
        widths: Of the id sets.
        vocabulary: How many ids there are in all.
        own_lengths: Whether each score weights the ids in its own way, so that each has a length of its own.
        name: Of the layer that gives the scores; what comes before it begins its name with this one.
    """
    weights = layers.Embedding(vocabulary, units, embeddings_initializer="zeros", name=f"{name}_weights")
    squares = layers.Embedding(
        vocabulary,
        units if own_lengths else 1,
        embeddings_initializer="zeros",
        trainable=False,
        name=f"{name}_squares",
    )
    bias = layers.Embedding(1, units, embeddings_initializer="zeros", name=f"{name}_bias")
    terms, first = [bias(ops.zeros_like(x[:, 0]))], 0
    for width in widths:
        ids = x[:, first : first + width]
        length: Any = ops.sqrt(ops.maximum(ops.sum(squares(ids), axis=1), _LEAST_SET_LENGTH))
        terms.append(ops.sum(weights(ids), axis=1) / length)
        first += width
    return layers.Add(name=name)(terms)


@component
def text_axes(x: Any, *, vocabulary: Count, width: Count) -> Any:
    """Sum up the vectors of a set's ids and scale the sum to length one.

    Args:
        x: Ids, 0 for none, shape (rows, ids).
        vocabulary: How many ids there are.
        width: Of the vectors.
    """
    vectors = layers.Embedding(vocabulary, width, embeddings_initializer="zeros", name=AXES)
    total: Any = ops.sum(vectors(x), axis=1)
    return total / ops.sqrt(
        ops.maximum(ops.sum(ops.square(total), axis=-1, keepdims=True), _LEAST_TEXT_LENGTH)
    )


def latent_texts(ids: Any) -> Any:
    """Frozen vectors of the n-grams summed up, over the length of the id set (latent semantic analysis).

    Args:
        ids: Of n-grams, 0 for none, shape (rows, width).

    Returns:
        Shape (rows, WIDTH).
    """
    there, buckets = known(ids), _bucket(ids)
    vectors = layers.Embedding(BUCKETS, WIDTH, trainable=False, name=_VECTORS)(buckets)
    squares = layers.Embedding(BUCKETS, 1, trainable=False, name=_SQUARES)(buckets)
    length: Any = ops.sqrt(ops.maximum(ops.sum(squares * there, axis=1), LEAST))
    total: Any = ops.sum(vectors * there, axis=1)
    return total / length


def _bucket(ids: Any) -> Any:
    """The ids modulo `BUCKETS`, without the operation for remainders, which doesn't convert to ONNX.

    Exact: the divisor is a power of two, and ids are below the whole numbers that a float32 holds.
    """
    exact: Any = ops.cast(ids, "float32")
    rounds: Any = ops.cast(ops.floor(exact / BUCKETS), ids.dtype)
    return ids - BUCKETS * rounds


def adapt_texts(model: keras.Model, inputs: Mapping[str, np.ndarray]) -> None:
    """Fit the frozen vectors in `model`, where there are any, on these rows, which must be training rows."""
    if _VECTORS in {layer.name for layer in model.layers}:
        vectors, squares = fit_latent(inputs["ngrams"])
        model.get_layer(_VECTORS).set_weights([vectors])
        model.get_layer(_SQUARES).set_weights([squares])
