"""Texts as a few numbers inside a network for tables, beside its other features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from composable.data.text.latent import BUCKETS, LEAST, WIDTH, fit_latent
from composable.design.text import known

_VECTORS, _SQUARES = "latent_vectors", "latent_squares"


def latent_texts(ids: Any) -> Any:
    """Frozen vectors of the n-grams summed up, over the length of the bag (latent semantic analysis).

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
