"""Answers as weighted sums over training rows, of how near each is: what kernel methods predict by."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import component

AXES = "text_axes"  # the name of the layer
_LEAST = 1e-12  # of a squared length: a text without known words lies in the middle of all


@component
def text_axes(x: Any, *, vocabulary: Count, width: Count) -> Any:
    """The vectors of a bag's ids summed up and scaled to length one; zeros until a solver sets them.

    Args:
        x: Ids, 0 for none, shape (rows, ids).
        vocabulary: How many ids there are.
        width: Of the vectors.
    """
    vectors = layers.Embedding(vocabulary, width, embeddings_initializer="zeros", name=AXES)
    total: Any = ops.sum(vectors(x), axis=1)
    return total / ops.sqrt(ops.maximum(ops.sum(ops.square(total), axis=-1, keepdims=True), _LEAST))


@component
def kernel_rows(x: Any, *, units: Count, rows: Count, name: str) -> Any:
    """Each score a weighted sum over rows that are kept, of the kernel 1 / (1 + sharpness * distance^2).

    That is the rational quadratic kernel, a mixture of Gaussian ones of many widths (Rasmussen and
    Williams 2006, "Gaussian Processes for Machine Learning", equation 4.19, alpha = 1). All are zero until
    a solver sets them.

    Args:
        x: Features, shape (rows, features).
        units: How many scores.
        rows: How many are kept.
        name: Of the layer that gives the scores; what comes before it begins its name with this one.
    """
    lengths = layers.Dense(1, use_bias=False, kernel_initializer="zeros", name=f"{name}_lengths")
    keys = layers.Dense(rows, kernel_initializer="zeros", name=f"{name}_keys")
    middle = layers.Dense(1, kernel_initializer="zeros", name=f"{name}_middle")
    values = layers.Dense(units, kernel_initializer="zeros", name=name)
    away: Any = ops.add(keys(x), lengths(ops.square(x)))  # 1 + sharpness * distance^2, but for rounding
    near: Any = ops.reciprocal(ops.maximum(away, 1.0))
    return values(near - middle(x))  # the usual value is taken off: sums of small numbers keep more digits
