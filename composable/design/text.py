"""What models of text share: word ids in, 0 where there is none. What is padding changes no prediction.

After the embedding what flows is a pair: the vectors (rows, length, width), and 1 where there is a word and 0
where there is padding (rows, length, 1).
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
