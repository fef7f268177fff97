"""Forests: large decision trees, each grown with chances of its own, whose answers are averaged.

Breiman 2001, "Random Forests" (Machine Learning 45); Geurts, Ernst & Wehenkel 2006, "Extremely Randomized
Trees" (Machine Learning 63), whose splits are drawn and not sought. `composable.training.forest` grows the
trees with scikit-learn and sets the weights here.

Every tree is walked down at once, a node at each step; a leaf leads to itself.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design import Architecture, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, checked
from composable.design.tables import raw_columns
from composable.design.tasks import regressor
from composable.design.trees import bounded_columns, computed_once, lookup

_PART = 1024  # nodes that a part of a number counts
_LEAST = 1e-6  # probability whose logarithm is taken


@component
def forest_scores(x: Any, *, units: Count, trees: Count, nodes: Count, depth: Count, name: str) -> Any:
    """The mean of the trees' answers, or its logarithm or log odds, as the weights say.

    Args:
        x: Columns, shape (rows, columns), NaN where a value is missing.
        units: How many scores.
        trees: How many.
        nodes: Of all trees together, at most. A node's left child is the one after it.
        depth: Of the deepest one.
        name: Of the layer that gives the scores; what comes before it begins its name with this one.
    """
    table = lookup(x, name)
    columns, thresholds, right = (table(of, nodes) for of in ("columns", "thresholds", "right"))
    seen = bounded_columns(x, axis=1)
    nothing = ops.zeros_like(seen[:, :1])
    roots, node = table("roots", 1, trees), ops.add(nothing, ops.zeros((1, trees)))  # (rows, trees)

    def of_node(values: Any) -> Any:
        """What a table holds of the nodes where the rows are."""
        return ops.take(values, ops.cast(ops.add(roots, node), "int32"))

    for _ in range(depth):
        column = ops.cast(of_node(columns), "int32")
        goes_left = ops.less_equal(ops.take_along_axis(seen, column, axis=1), of_node(thresholds))
        node = _chosen(ops.add(node, 1.0), of_node(right), goes_left)
    answers = [
        ops.mean(of_node(table(f"values_{unit}", nodes, trainable=True)), axis=1, keepdims=True)
        for unit in range(units)
    ]
    mean = ops.concatenate(answers, axis=1) if units > 1 else answers[0]
    logs = [ops.log(ops.maximum(each, _LEAST)) for each in (mean, ops.subtract(1.0, mean))]
    as_it_is = ops.multiply(table("as_it_is", 1, units, begins="ones"), mean)
    log, log_of_rest = (
        ops.multiply(table(of, 1, units), part) for of, part in zip(("log", "log_of_rest"), logs, strict=True)
    )
    return layers.Identity(name=name)(ops.add(ops.add(as_it_is, log), log_of_rest))


def _chosen(left: Any, right: Any, goes_left: Any) -> Any:
    """One of two nodes for each row and tree; their numbers in two parts, exact in every precision."""
    high = [ops.floor(ops.multiply(ops.add(each, 0.5), 1.0 / _PART)) for each in (left, right)]
    both = [
        ops.concatenate([part, ops.subtract(each, ops.multiply(part, float(_PART)))], axis=1)
        for part, each in zip(high, (left, right), strict=True)
    ]
    twice = ops.concatenate([goes_left, goes_left], axis=1)
    parts: Any = ops.split(computed_once(both[0], both[1], twice), 2, axis=1)
    return ops.add(ops.multiply(parts[0], float(_PART)), parts[1])


@checked
def forest(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    trees: Count | Open = 100,
    nodes: Count | Open = 50_000,
    depth: Count | Open = 16,
) -> Architecture:
    """Trees on the columns as they are, codes as numbers.

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
        trees: How many.
        nodes: Of all trees together, at most.
        depth: Of the deepest one, at most.
    """
    scores = Part(forest_scores, trees=trees, nodes=nodes, depth=depth)
    trunk = Architecture(
        prestem=Part(raw_columns, categories=categories), tasks=Part(regressor, scores=scores)
    )
    return trunk.with_tasks(*tasks)


@checked
def forest_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """How many trees, and how deep ones."""
    return forest(tasks=tasks, categories=categories, trees=Choice((50, 100, 200)), depth=Choice((8, 12, 16)))
