"""Layers whose weights a closed-form fit sets: linear models of id sets, and kernel regression.

An id set says which of many features (words, n-grams) a row has: their ids, filled up with 0. Before the
fit all weights are zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import component

AXES = "text_axes"  # the name of the layer
_LEAST_SET_LENGTH = 1e-9  # squared: an empty set adds nothing
_LEAST_TEXT_LENGTH = 1e-12  # squared: a text without known words lies in the middle of all


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
def unpooled(x: Any) -> Any:
    """Return an id set as it is, where other tasks would pool feature maps."""
    return x


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


@component
def kernel_scores(x: Any, *, units: Count, rows: Count, name: str) -> Any:
    """Score by a weighted sum over rows that are kept, of the kernel 1 / (1 + sharpness * distance^2).

    That is the rational quadratic kernel, a mixture of Gaussian ones of many widths (Rasmussen and
    Williams 2006, "Gaussian Processes for Machine Learning", equation 4.19, alpha = 1).

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
