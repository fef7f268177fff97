"""Tables with noise on their numbers, to be made clean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from keras import layers
from pydantic import Field

from composable.core.errors import DataError
from composable.design.part import component
from composable.engine.objective import Goal
from composable.training.stages.pretrain.columns import columns_of, known_squared_error
from composable.training.stages.pretrain.pretext import Arrays, Pretext, Unlabeled, attached, corrupted

Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@component
def number_denoising(x: Unlabeled, *, deviation: Size = 0.3, reads: str = "embedding") -> Pretext:
    """Normal noise is added to every number; the targets are the ranks of the clean ones.

    Args:
        x: The rows.
        deviation: Of the noise, in standard deviations of the column's training values.
        reads: The tap from which the numbers are predicted.

    Raises:
        DataError: If the table has no numbers.
    """
    columns = columns_of(x)
    if not columns.numbers:
        raise DataError(
            "Numbers are needed to put noise on them.",
            received="categories alone",
            remedy="take the task `masking`",
        )
    spreads = {name: _spread(x.inputs[name][x.train]) for name in columns.numbers}

    def corrupt(clean: Arrays, rng: np.random.Generator) -> tuple[Arrays, tuple[np.ndarray, ...]]:
        shown = dict(clean)
        for name, spread in spreads.items():
            noise = deviation * spread * rng.standard_normal(clean[name].shape)
            shown[name] = (clean[name] + noise).astype(clean[name].dtype)
        return shown, (columns.number_targets(clean),)

    copies = corrupted(x, corrupt)
    targets = copies.rows.targets[0]

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        predicted = outputs[0].mean(axis=1) if outputs[0].ndim == 3 else outputs[0]
        return _error(predicted, targets[numbers])

    return Pretext(
        attach=lambda network: attached(network, reads, layers.Dense(targets.shape[1])),
        goals=(Goal(known_squared_error, known_squared_error),),
        rows=copies.rows,
        train=copies.train,
        held_out=copies.held_out,
        epochs=copies.epochs,
        figure="squared error of ranks",
        chance=_error(np.zeros(targets.shape[1]), targets[copies.held_out]),
        score=score,
    )


def _spread(values: np.ndarray) -> np.ndarray:
    """The standard deviation of each column's known values; 0 where none is known."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, values, 0.0).astype("float64")
    mean = filled.sum(axis=0) / count
    return np.sqrt((np.where(known, filled - mean, 0.0) ** 2).sum(axis=0) / count)


def _error(said: np.ndarray, targets: np.ndarray) -> float:
    """The mean squared error of the cells that are known."""
    return float(((said - targets[..., 0]) ** 2 * targets[..., 1]).sum() / max(targets[..., 1].sum(), 1.0))
