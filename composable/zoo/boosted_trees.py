"""Boosted trees: many small decision trees whose leaves are added up, as a graph of stock layers.

Friedman 2001, "Greedy Function Approximation: A Gradient Boosting Machine" (Annals of Statistics 29); grown
leaf by leaf on histograms as in Ke et al. 2017, "LightGBM: A Highly Efficient Gradient Boosting Decision
Tree". `composable.training.boosted_trees` grows the trees with
scikit-learn and sets the weights here; gradients could move the values of the leaves alone.

A tree isn't walked down. All its splits are decided at once; where a row goes right, the leaves to the left
of that split are out, and of what is left over the first leaf is the one that the row falls into: Lucchese et
al. 2015, "QuickScorer: A Fast Algorithm to Rank Documents with Additive Ensembles of Regression Trees".
The leaves of a tree are the bits of a number, so that is a bitwise and over the splits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import layers, ops

from composable.design import Architecture, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, checked
from composable.design.tables import raw_columns
from composable.design.tasks import regressor
from composable.design.trees import bounded_columns, computed_once, lookup

MOST_LEAVES = 31  # the bits of a number that is never negative
MOST_CODES = 255  # that a split tells apart, as in scikit-learn
WORD = 16  # codes whose sides are told by one whole number
_ONES = np.array([2**count - 1 for count in range(MOST_LEAVES + 1)], "int32")  # so many lowest bits
_SHARES = np.array([0.5**bit for bit in range(WORD)], "float32")


@component
def tree_scores(
    x: Any,
    *,
    units: Count,
    rounds: Count,
    leaves: Count = MOST_LEAVES,
    categories: tuple[int, ...] = (),
    name: str,
) -> Any:
    """In each round one tree per score; all rounds are added up.

    Args:
        x: Columns, shape (rows, columns), NaN where a value is missing; codes come first.
        units: How many scores.
        rounds: How many trees of each.
        leaves: Of a tree, at most; 31 or fewer.
        categories: The number of codes of each of the first columns.
        name: Of the layer that gives the scores; what comes before it begins its name with this one.

    Raises:
        ValueError: If there are more leaves than a number has bits.
    """
    if leaves > MOST_LEAVES:
        raise ValueError(f"{leaves} leaves are too many for the bits of a number: {MOST_LEAVES} at most.")
    trees, splits = rounds * units, splits_of(leaves)
    table = lookup(x, name)

    def per_split(of: str) -> Any:
        """A number of each split of each tree, for every row: (splits, trees, 1)."""
        return table(of, splits, trees, 1)

    seen = ops.take(
        bounded_columns(ops.transpose(x), axis=0), _whole(ops.squeeze(per_split("columns"), -1)), axis=0
    )  # (splits, trees, rows)
    goes_left = ops.less_equal(seen, per_split("thresholds"))
    if categories:
        shares = _shares_of_words(ops.transpose(x[:, : len(categories)]), words_of(categories))
        place = _whole(ops.squeeze(per_split("code_columns"), -1))
        for word, share in enumerate(shares):
            bits = ops.floor(ops.multiply(per_split(f"members_{word}"), ops.take(share, place, axis=0)))
            odd = ops.subtract(bits, ops.multiply(2.0, ops.floor(ops.multiply(0.5, bits))))
            goes_left = ops.logical_or(goes_left, ops.greater(odd, 0.5))
    first, middle = (ops.take(_ONES, _whole(per_split(of))) for of in ("first", "middle"))
    everything = int(_ONES[-1])
    left_over: Any = ops.where(goes_left, everything, ops.subtract(everything, ops.subtract(middle, first)))
    for _ in range((splits - 1).bit_length()):
        halves: Any = ops.split(left_over, 2)
        left_over = ops.bitwise_and(halves[0], halves[1])
    lowest: Any = ops.bitwise_and(left_over, ops.negative(left_over))
    leaf = ops.round(ops.log2(ops.cast(ops.squeeze(lowest, 0), "float32")))  # (trees, rows)
    leaf = _whole(computed_once(leaf, leaf, ops.less(leaf, 0.5 * leaves)))
    first_leaf = ops.reshape(ops.multiply(ops.arange(trees, dtype="int32"), leaves), (trees, 1))
    values = ops.take(table("values", trees * leaves, trainable=True), ops.add(leaf, first_leaf))
    total = ops.sum(ops.reshape(values, (rounds, units, -1)), axis=0)
    return layers.Identity(name=name)(ops.add(ops.transpose(total), table("start", 1, units, trainable=True)))


def splits_of(leaves: int) -> int:
    """How many splits are decided of a tree of so many leaves: a power of two, which is halved to one."""
    return 1 << (max(leaves, 2) - 2).bit_length()


def words_of(categories: tuple[int, ...]) -> int:
    """How many whole numbers say on which side the codes of a column go."""
    return -(-min(max(categories), MOST_CODES) // WORD)


def _shares_of_words(codes: Any, words: int) -> list[Any]:
    """By what the whole number of each word is multiplied, so that the bit of a code comes first; else 0.

    Args:
        codes: (columns, rows).
        words: How many.
    """
    known = ops.where(ops.less(codes, float(MOST_CODES)), codes, 0.0)
    found = []
    for word in range(words):
        bit = ops.subtract(known, float(word * WORD))
        inside = ops.logical_and(ops.greater(bit, -0.5), ops.less(bit, WORD - 0.5))
        share = ops.take(_SHARES, _whole(ops.clip(bit, 0.0, WORD - 1.0)))
        found.append(computed_once(ops.where(inside, share, 0.0), ops.zeros_like(share), inside))
    return found


def _whole(values: Any) -> Any:
    return ops.cast(values, "int32")


@checked
def boosted_trees(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    rounds: Count | Open = 100,
    leaves: Count | Open = MOST_LEAVES,
) -> Architecture:
    """Trees on the columns as they are.

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
        rounds: How many trees of each score.
        leaves: Of a tree, at most.
    """
    scores = Part(tree_scores, rounds=rounds, leaves=leaves, categories=categories)
    trunk = Architecture(
        prestem=Part(raw_columns, categories=categories), tasks=Part(regressor, scores=scores)
    )
    return trunk.with_tasks(*tasks)


@checked
def boosted_trees_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """How many trees, and how large ones."""
    return boosted_trees(
        tasks=tasks, categories=categories, rounds=Choice((50, 100, 200, 400)), leaves=Choice((7, 15, 31))
    )
