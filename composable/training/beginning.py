"""How a network begins: drawn weights, and what is fitted to training rows before the first step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import keras
import numpy as np

from composable.core.seeds import derive
from composable.design.fitting import data_init, fit_to_rows
from composable.design.tables import adapt
from composable.engine.initialize import initialize

Begin = Callable[[keras.Model, Mapping[str, np.ndarray], int, Sequence[np.ndarray] | None], None]
"""(model, its training rows as inputs, the seed of all that is drawn, weights to begin with or None)"""


def beginner(build: Callable[[], keras.Model], categories: tuple[int, ...]) -> Begin:
    """What gives networks of one architecture the values that they begin with.

    Args:
        build: Gives a new network like those that begin.
        categories: The number of codes of each category column.
    """
    fit_dense = lru_cache(maxsize=1)(data_init)  # compiled once for each network, however often it begins

    def begin(
        model: keras.Model,
        rows: Mapping[str, np.ndarray],
        seed: int,
        weights: Sequence[np.ndarray] | None = None,
    ) -> None:
        initialize(model, build, seed)
        adapt(model, rows, categories=categories)
        fit_dense(model)(rows, derive(seed, "data_init"))
        fit_to_rows(model, rows, seed=seed)
        if weights is not None:
            model.set_weights(list(weights))

    return begin
