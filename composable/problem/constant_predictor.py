"""What every model has to beat: a predictor that answers the same for every row."""

from __future__ import annotations

import numpy as np

from composable.problem.kinds import kind_of
from composable.problem.problem import Head


def constant_predictor(
    heads: tuple[Head, ...], targets: tuple[np.ndarray, ...], rows: int
) -> list[np.ndarray]:
    """The same prediction for each of `rows` rows: the mean of the targets, or the shares of the classes."""
    each = [kind_of(head).constant_prediction(head, y) for head, y in zip(heads, targets, strict=True)]
    return [np.broadcast_to(one, (rows, *one.shape)) for one in each]
