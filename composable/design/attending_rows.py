"""Answers as means of training rows' answers, weighted by how alike the texts are."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import component


@component
def attending_rows(x: Any, *, units: Count, vocabulary: Count, width: Count, rows: Count, name: str) -> Any:
    """Attention from a text to texts that are kept, with their answers as values.

    Nadaraya 1964, "On Estimating Regression", with the kernel exp(sharpness * cosine), which is dot-product
    attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1) with keys that aren't learned.

    All weights are zero until a solver sets them: the vector of each id, which are summed and scaled to
    length one, the keys times the sharpness, and the values.

    Args:
        x: Ids, 0 for none, shape (rows, ids).
        units: How many numbers are told.
        vocabulary: How many ids there are.
        width: Of the vectors.
        rows: How many texts are kept.
        name: Of the layer that gives the scores; what comes before it begins its name with this one.
    """
    vectors = layers.Embedding(vocabulary, width, embeddings_initializer="zeros", name=f"{name}_vectors")
    keys = layers.Dense(rows, kernel_initializer="zeros", activation="softmax", name=f"{name}_keys")
    values = layers.Dense(units, use_bias=False, kernel_initializer="zeros", name=name)
    total: Any = ops.sum(vectors(x), axis=1)
    length: Any = ops.sqrt(ops.maximum(ops.sum(ops.square(total), axis=-1, keepdims=True), _LEAST))
    return values(keys(total / length))


_LEAST = 1e-12  # of the squared length: a text without known words attends to all rows alike
