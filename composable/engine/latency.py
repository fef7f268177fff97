"""How long a model takes to predict, measured."""

from __future__ import annotations

import statistics
import time
from typing import Any

import keras
import numpy as np

from composable.design.cost import FREE


def latency(model: keras.Model, rows: int = 1, repetitions: int = 20, *, free: int = FREE) -> float:
    """Seconds that `model` takes to predict `rows` rows at once: the median, once it is compiled.

    Args:
        model: Built; what its weights are makes no difference.
        rows: In one batch.
        repetitions: Measured ones.
        free: The size of a dimension that the model leaves free.
    """
    batch = keras.tree.map_structure(lambda x: _zeros(x, rows, free), model.input)
    for _ in range(2):  # compiles, and then fills the caches
        model.predict_on_batch(batch)
    measured = []
    for _ in range(repetitions):
        started = time.perf_counter()
        model.predict_on_batch(batch)  # gives NumPy arrays: it ends when they are there
        measured.append(time.perf_counter() - started)
    return statistics.median(measured)


def _zeros(x: Any, rows: int, free: int) -> np.ndarray:
    return np.zeros((rows, *(size or free for size in x.shape[1:])), x.dtype)
