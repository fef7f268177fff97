"""Tables some of whose cells are noisy or hold the value of another row; the targets are their own values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from keras import layers
from pydantic import Field

from composable.core.errors import DataError
from composable.design.part import component
from composable.engine.objective import Goal, binary_cross_entropy
from composable.training.stages.pretrain.columns import (
    columns_of,
    known_squared_error,
    original_goals,
    original_widths,
)
from composable.training.stages.pretrain.pretext import Arrays, Pretext, Unlabeled, attached, corrupted

Share = Annotated[float, Field(gt=0, lt=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@component
def masking(
    x: Unlabeled, *, share: Share = 0.3, reconstruction: Weight = 2.0, reads: str = "embedding"
) -> Pretext:
    """Swap noise: cells take the value that the same column has in another training row.

    Yoon et al. 2020, "VIME: Extending the Success of Self- and Semi-supervised Learning to Tabular Domain",
    equations 3 to 6: the mask is predicted by a sigmoid per cell, the original by its value; here categories
    by cross entropy, and numbers by their rank, which no outlier rules.

    Args:
        x: The rows.
        share: Of the cells that are drawn anew (VIME: 0.3).
        reconstruction: The weight of the loss of the original values; that of the mask's is 1 (VIME: 2).
        reads: The tap from which all is predicted.
    """
    columns = columns_of(x)

    def corrupt(clean: Arrays, rng: np.random.Generator) -> tuple[Arrays, tuple[np.ndarray, ...]]:
        shown, masks = dict(clean), []
        for name in columns.inputs:
            shown[name], mask = swapped(clean[name], x.inputs[name], x.train, share, rng)
            masks.append(mask.astype("float32"))
        numbers = (columns.number_targets(clean),) if columns.numbers else ()
        categories = (columns.category_targets(clean),) if columns.codes else ()
        return shown, (np.concatenate(masks, axis=1), *numbers, *categories)

    def head(embedding: Any) -> list[Any]:
        return [layers.Dense(width)(embedding) for width in (cells, *original_widths(columns))]

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        return _balanced(outputs[0], copies.rows.targets[0][numbers])

    copies = corrupted(x, corrupt)
    cells = copies.rows.targets[0].shape[1]
    return Pretext(
        attach=lambda network: attached(network, reads, head),
        goals=(Goal(binary_cross_entropy, binary_cross_entropy), *original_goals(columns, reconstruction)),
        rows=copies.rows,
        train=copies.train,
        held_out=copies.held_out,
        epochs=copies.epochs,
        figure="balanced accuracy of the mask",
        chance=0.5,
        score=score,
    )


def swapped(
    values: np.ndarray, pool: np.ndarray, donors: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Values with some cells from other rows, and which cells hold something else than before.

    Args:
        values: (rows, columns).
        pool: (all rows, columns), of which `donors` are the numbers of those that may give.
        donors: Row numbers.
        share: Of the cells that are drawn.
        rng: Of the draw.
    """
    others = pool[rng.choice(donors, size=values.shape), np.arange(values.shape[1])]
    found = np.where(rng.random(values.shape) < share, others, values)
    both_missing = np.isnan(found) & np.isnan(values)
    return found, (found != values) & ~both_missing


def _balanced(logits: np.ndarray, mask: np.ndarray) -> float:
    """The mean of the shares of masked and of other cells that are predicted right, averaged over members."""
    predicted = (logits.mean(axis=1) if logits.ndim == 3 else logits) > 0
    return float(
        np.mean([np.mean(predicted[mask == truth] == truth) for truth in (0, 1) if (mask == truth).any()])
    )


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


def _error(predicted: np.ndarray, targets: np.ndarray) -> float:
    """The mean squared error of the cells that are known."""
    return float(
        ((predicted - targets[..., 0]) ** 2 * targets[..., 1]).sum() / max(targets[..., 1].sum(), 1.0)
    )
