"""Losses of the outputs for a table's cells: `(targets, outputs, smoothing)` to one number per row.

Outputs are (rows, columns), or (rows, members, columns) of an ensemble in one network: then the mean of the
members' losses. Smoothing is for the labels of the user's task and changes nothing here.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from keras import ops

from composable.engine.objective import Goal, Loss
from composable.training.stages.pretrain.columns import Columns


def original_goals(columns: Columns, weight: float = 1.0) -> tuple[Goal, ...]:
    """Of the heads for numbers and for categories, as far as there are such columns."""
    losses: list[Loss] = [known_squared_error] if columns.numbers else []
    losses += [partial(column_cross_entropy, columns.sizes)] if columns.codes else []
    return tuple(Goal(loss, loss, weight) for loss in losses)


def original_widths(columns: Columns) -> tuple[int, ...]:
    """How many outputs the same heads have."""
    return tuple(width for width in (len(columns.ranks), sum(columns.sizes)) if width)


def known_squared_error(y: Any, outputs: Any, smoothing: Any = 0.0) -> Any:  # noqa: ARG001 (see above)
    """The mean over the cells that are known; (rows, columns, 2) as `Columns.number_targets` gives them."""
    values, known = y[..., 0], y[..., 1]
    lost = _over_members(ops.square(outputs - _beside(values, outputs)), outputs)
    total: Any = ops.sum(lost * known, axis=-1)
    return total / ops.maximum(ops.sum(known, axis=-1), 1.0)


def column_cross_entropy(sizes: tuple[int, ...], y: Any, outputs: Any, smoothing: Any = 0.0) -> Any:  # noqa: ARG001 (see above)
    """The mean over columns; (rows, columns) classes, and the logits of all columns side by side."""
    ends = [0, *np.cumsum(sizes).tolist()]
    total: Any = 0.0
    for column, (first, end) in enumerate(pairwise(ends)):
        chosen = _beside(ops.one_hot(ops.cast(y[:, column], "int32"), end - first), outputs)
        true_log_shares: Any = ops.sum(chosen * ops.log_softmax(outputs[..., first:end], axis=-1), axis=-1)
        total = total - _over_members(true_log_shares, outputs)
    return total / len(sizes)


def _beside(targets: Any, outputs: Any) -> Any:
    return ops.expand_dims(targets, 1) if len(outputs.shape) == 3 else targets


def _over_members(losses: Any, outputs: Any) -> Any:
    return ops.mean(losses, axis=1) if len(outputs.shape) == 3 else losses
