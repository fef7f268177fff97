"""Run a network over rows in batches of few distinct sizes, so that a backend compiles each of them once."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

SIZES = (1, 32, 256, 2048)  # a batch is padded up to one of these
SERVING_SIZES = (16, 1024)  # of a large model, whose compilation takes seconds
_OF_IMAGES = (16, 128)  # whatever the model: rows that are only there to fill a batch take time, too
_IMAGES = 4  # axes of images


def predict(
    model: keras.Model, inputs: Mapping[str, np.ndarray], *, sizes: tuple[int, ...] = SIZES
) -> list[np.ndarray]:
    """The outputs of `model` for every row.

    Args:
        model: A network whose inputs are named as the keys of `inputs`.
        inputs: Arrays with one row per example; zero rows are allowed.
        sizes: The sizes of a batch, ascending; where there are images among the inputs, they have their own.

    Returns:
        One array per output, rows first.
    """
    rows = len(next(iter(inputs.values())))
    if any(values.ndim == _IMAGES for values in inputs.values()):
        sizes = _OF_IMAGES
    batches = []
    for start in range(0, max(rows, 1), sizes[-1]):
        taken = min(sizes[-1], rows - start)
        size = next(s for s in sizes if s >= taken)
        batch = {name: _padded(values[start : start + taken], size) for name, values in inputs.items()}
        outputs = model.predict_on_batch(batch)
        batches.append([np.asarray(output)[:taken] for output in keras.tree.flatten(outputs)])
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def _padded(values: np.ndarray, size: int) -> np.ndarray:
    if len(values) == size:
        return values
    padded = np.zeros((size, *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return padded
