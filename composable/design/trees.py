"""What decision trees in a graph are made of: columns with missing values, tables that are looked up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras import layers, ops

FAR = 1e38  # beyond it a column has no values
NEVER = -3.0 * FAR  # a threshold that nothing lies below


def bounded_columns(x: Any, *, axis: int) -> Any:
    """Columns twice, side by side on an axis: a missing value once as the least, once as the most.

    So a split that missing values pass to the left, and one that they pass to the right, each find a column
    to compare: every value lies between -FAR and FAR.

    Args:
        x: (rows, columns), NaN where a value is missing; (columns, rows) where the axis is 0.
        axis: Of the columns.
    """
    missing, bounded = ops.isnan(x), ops.clip(x, -FAR, FAR)
    return ops.concatenate([ops.where(missing, far, bounded) for far in (-2.0 * FAR, 2.0 * FAR)], axis=axis)


def lookup(x: Any, name: str) -> Callable[..., Any]:
    """What makes tables of frozen numbers that are looked up, as weights of the network.

    Each is the kernel of a dense layer of a one, which makes it a part of the graph of `x`.

    Args:
        x: Any tensor of the network.
        name: Of the layer that the tables are for; theirs begin with it.

    Returns:
        A function of the end of a table's name and its shape; `trainable` where gradients may move it, and
        the initializer that it `begins` with.
    """
    one = ops.reshape(ops.add(ops.zeros_like(ops.sum(x)), 1.0), (1, 1))

    def table(of: str, *shape: int, trainable: bool = False, begins: str = "zeros") -> Any:
        kernel = layers.Dense(
            math.prod(shape),
            use_bias=False,
            kernel_initializer=begins,
            trainable=trainable,
            name=f"{name}_{of}",
        )
        return ops.reshape(kernel(one), shape)

    return table


def computed_once(values: Any, alternative: Any, chosen: Any) -> Any:
    """`values` where `chosen`, else `alternative`: the sum of both, by a matrix product with ones.

    XLA would compute what goes into a lookup anew for each of its uses, and so on for what goes into that;
    a matrix product ends such a chain. Whole numbers up to 2048 are exact in every precision of products.

    Args:
        values: (trees, rows), or the like.
        alternative: Of the same shape.
        chosen: Where the first ones are meant.
    """
    both = ops.stack([ops.where(chosen, values, 0.0), ops.where(chosen, 0.0, alternative)])
    total = ops.matmul(ops.ones((1, 2)), ops.reshape(both, (2, -1)))
    return ops.reshape(total, (-1, values.shape[1]) if values.shape[1] else (values.shape[0], -1))
