"""What models of text share: word ids in, 0 where there is none. What is padding changes no prediction.

After the embedding what flows is a pair: the vectors (rows, length, width), and 1 where there is a word and 0
where there is padding (rows, length, 1).
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import component

# Below 2**31 whatever is hashed: each prime times its factor, and the product of the primes.
_PRIMES = (32_749, 65_521)
_FACTORS = (48_271, 16_807)


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

    Two remainders of the polynomial whose coefficients are the word ids are read as one number: whole
    numbers of 32 bits never overflow on the way, so every backend finds the same buckets.
    """
    padded: Any = ops.pad(ids, ((0, 0), (0, length - 1)))
    words = [padded[:, start : (start - length + 1) or None] for start in range(length)]
    high, low = (_remainder(words, *each) for each in zip(_PRIMES, _FACTORS, strict=True))
    whole: Any = ops.ones_like(ids)
    for word in words:
        whole = whole * ops.cast(ops.not_equal(word, 0), "int32")
    found: Any = ops.mod(high * _PRIMES[1] + low, buckets)
    return (found + 1) * whole


def _remainder(words: list[Any], prime: int, factor: int) -> Any:
    found: Any = ops.zeros_like(words[0])
    for word in words:
        added: Any = ops.mod(found + ops.mod(word, prime), prime)
        found = ops.mod(added * factor, prime)
    return found
