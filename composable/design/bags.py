"""Linear models of bags of n-grams: a weight for each n-gram and score, on rows of length one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import component


@component
def joined_bags(x: Mapping[str, Any], *, bags: tuple[str, ...], sizes: tuple[Count, ...]) -> Any:
    """Several bags of ids as one: the ids of each begin where those of the one before end; 0 stays 0.

    Args:
        x: Ids, each of shape (rows, width).
        bags: The names of those to take.
        sizes: How many ids each has, 0 among them.

    Returns:
        Shape (rows, widths).
    """
    found, first = [], 0
    for name, size in zip(bags, sizes, strict=True):
        ids = x[name]
        found.append(ops.where(ops.equal(ids, 0), 0, ids + first) if first else ids)
        first += size
    return ops.concatenate(found, axis=1) if len(found) > 1 else found[0]


@component
def as_it_is(x: Any) -> Any:
    """A bag isn't pooled: a list of ids says which few of the many features aren't zero."""
    return x


@component
def weighted_bags(
    x: Any, *, units: Count, widths: tuple[Count, ...], vocabulary: Count, own_lengths: bool, name: str
) -> Any:
    """Each score the sum over the bags of their ids' weights, over the bag's length, and a bias.

    The length is the square root of the sum of the ids' squares, which are no parameters. Weights and squares
    are zero until a solver sets them; those of id 0 stay so.

    Args:
        x: The ids of the bags side by side, shape (rows, sum of the widths).
        units: How many scores.
        widths: Of the bags.
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
        length: Any = ops.sqrt(ops.maximum(ops.sum(squares(ids), axis=1), _LEAST))
        terms.append(ops.sum(weights(ids), axis=1) / length)
        first += width
    return layers.Add(name=name)(terms)


_LEAST = 1e-9  # of the squared length: an empty bag adds nothing
