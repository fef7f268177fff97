"""Tables some of whose cells hold another row's value: the targets are which ones, and their own values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from keras import layers
from pydantic import Field

from composable.design.part import component
from composable.engine.losses import binary_cross_entropy
from composable.engine.objective import Goal
from composable.training.stages.pretrain.columns import columns_of, original_goals, original_widths
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
