"""Learn from the hardest rows of a batch alone: those that are known already teach next to nothing.

Jiang et al. 2019, "Accelerating Deep Learning by Focusing on the Biggest Losers", arXiv:1910.00762; a fixed
share of each batch, as in Kawaguchi & Lu 2020, "Ordered SGD", arXiv:1907.04371. The forward pass over all
rows costs a third of a step; the rest of it is saved for each row that is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from composable.engine.objective import Batch, Goal, labeled


def hardest(goals: Sequence[Goal], outputs: Sequence[Any], batch: Batch, share: float) -> Batch:
    """The rows of a batch with the highest losses, all heads together; rows that don't count come last.

    Args:
        goals: One per output.
        outputs: Those of the network for the batch.
        batch: Rows first.
        share: Of the rows, which is kept; at least one row is.
    """
    total: Any = 0.0
    for goal, output, target in zip(goals, outputs, batch.targets, strict=True):
        known, filled = labeled(goal, target)
        each = goal.weight * goal.loss(filled, ops.cast(output, "float32"), 0.0)
        total = total + ops.where(known > 0, each, 0.0)
    if batch.counted is not None:
        total = ops.where(ops.cast(batch.counted, "bool"), total, -math.inf)
    most = max(1, math.ceil(share * int(total.shape[0])))
    found: Any = ops.top_k(total, most)
    kept: Any = keras.tree.map_structure(
        lambda x: None if x is None else ops.take(x, found[1], axis=0), batch
    )
    return kept
