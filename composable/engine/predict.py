"""Run a network over rows in batches of few sizes, each compiled once; and measure how long that takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from composable.design.cost import FREE

SIZES = (1, 32, 256, 2048)  # a batch is padded up to one of these
SERVING_SIZES = (16, 1024)  # of a large model, whose compilation takes seconds
_OF_SIGNALS = (16, 128)  # whatever the model: rows that are only there to fill a batch take time, too
_SIGNALS = 3  # axes of series, and more of images


def predict(
    model: keras.Model, inputs: Mapping[str, np.ndarray], *, sizes: tuple[int, ...] = SIZES
) -> list[np.ndarray]:
    """The outputs of `model` for every row.

    Args:
        model: A network whose inputs are named as the keys of `inputs`.
        inputs: Arrays with one row per example; zero rows are allowed.
        sizes: The sizes of a batch, ascending; series and images among the inputs have their own.

    Returns:
        One array per output, rows first.
    """
    rows = len(next(iter(inputs.values())))
    if any(values.ndim >= _SIGNALS for values in inputs.values()):
        sizes = _OF_SIGNALS
    batches = []
    for start in range(0, max(rows, 1), sizes[-1]):
        taken = min(sizes[-1], rows - start)
        size = next(s for s in sizes if s >= taken)
        batch = {name: _padded(values[start : start + taken], size) for name, values in inputs.items()}
        outputs = model.predict_on_batch(batch)
        batches.append([np.asarray(output)[:taken] for output in keras.tree.flatten(outputs)])
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


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


def _padded(values: np.ndarray, size: int) -> np.ndarray:
    if len(values) == size:
        return values
    padded = np.zeros((size, *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return padded


def _zeros(x: Any, rows: int, free: int) -> np.ndarray:
    return np.zeros((rows, *(size or free for size in x.shape[1:])), x.dtype)
