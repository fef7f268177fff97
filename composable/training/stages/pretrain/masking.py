"""Tables some of whose cells are noisy or hold the value of another row; the targets are their own values.

Here too are the columns of a table among a network's inputs, the targets that their cells make, and their
losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from keras import layers, ops
from pydantic import Field

from composable.core.errors import DataError
from composable.design.part import component
from composable.engine.objective import Goal, Loss, binary_cross_entropy
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
        return [layers.Dense(width)(embedding) for width in (cells, *_original_widths(columns))]

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        return _balanced(outputs[0], copies.rows.targets[0][numbers])

    copies = corrupted(x, corrupt)
    cells = copies.rows.targets[0].shape[1]
    return Pretext(
        attach=lambda network: attached(network, reads, head),
        goals=(Goal(binary_cross_entropy, binary_cross_entropy), *_original_goals(columns, reconstruction)),
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


_CLASSES = 64  # of a column with more codes only the most frequent ones are classes
_CATEGORIES = "categories"


@dataclass(frozen=True, eq=False)
class Columns:
    """Of a table.

    Attributes:
        numbers: The names of the inputs that hold numbers, (rows, columns) each.
        ranks: Per number column its known training values, sorted.
        codes: Per category column the class of each code, indexed by the code; class 0 is for unknown codes
            and for rare ones.
    """

    numbers: tuple[str, ...]
    ranks: tuple[np.ndarray, ...]
    codes: tuple[np.ndarray, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs whose cells are predicted, in order."""
        return (*self.numbers, _CATEGORIES) if self.codes else self.numbers

    @property
    def sizes(self) -> tuple[int, ...]:
        """Per category column the number of its classes."""
        return tuple(int(classes.max()) + 1 for classes in self.codes)

    def number_targets(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """(rows, columns, 2): ranks, with mean 0 and variance 1 in training rows, and 1 where they are known.

        Ranks, because one outlier would otherwise outweigh a column, and one column the others.
        """
        values = np.concatenate([inputs[name] for name in self.numbers], axis=1)
        found = np.zeros((*values.shape, 2), "float32")
        for column, known in enumerate(self.ranks):
            present = ~np.isnan(values[:, column]) & (len(known) > 0)
            numbers = values[present, column]
            below, upto = (np.searchsorted(known, numbers, side) for side in ("left", "right"))
            rank = (below + upto) / (2 * max(len(known), 1))
            found[present, column] = np.stack([(rank - 0.5) * 12**0.5, np.ones_like(rank)], axis=1)
        return found

    def category_targets(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """(rows, columns) classes, int32."""
        values = inputs[_CATEGORIES]
        found = np.zeros(values.shape, "int32")
        for column, classes in enumerate(self.codes):
            known = values[:, column] < len(classes)
            found[known, column] = classes[values[known, column]]
        return found


def columns_of(x: Unlabeled) -> Columns:
    """The columns whose cells can be predicted: every float input, and `categories`.

    Raises:
        DataError: If there is none.
    """
    flat = {name: values for name, values in x.inputs.items() if values.ndim == 2}
    numbers = tuple(n for n, values in flat.items() if values.dtype.kind == "f")
    if not numbers and _CATEGORIES not in flat:
        raise DataError(
            "A pretext task for tables takes inputs of numbers, (rows, columns), or categories.",
            received=", ".join(f"{n} {values.dtype}{values.shape}" for n, values in x.inputs.items())[:200],
            remedy="for images there are jigsaw, denoising, autoencoding, occlusion and synthetic",
        )
    columns = (column for name in numbers for column in flat[name][x.train].T)
    codes = flat[_CATEGORIES][x.train].T if _CATEGORIES in flat else ()
    return Columns(
        numbers,
        tuple(np.sort(column[~np.isnan(column)]) for column in columns),
        tuple(_classes(column) for column in codes),
    )


def _classes(column: np.ndarray) -> np.ndarray:
    counts = np.bincount(column)
    counts[0] = 0  # code 0 is unknown
    frequent = [code for code in np.argsort(-counts, kind="stable")[: _CLASSES - 1] if counts[code]]
    found = np.zeros(len(counts), "int64")
    found[frequent] = np.arange(1, len(frequent) + 1)
    return found


def _original_goals(columns: Columns, weight: float = 1.0) -> tuple[Goal, ...]:
    """Of the heads for numbers and for categories, as far as there are such columns."""
    losses: list[Loss] = [known_squared_error] if columns.numbers else []
    losses += [partial(column_cross_entropy, columns.sizes)] if columns.codes else []
    return tuple(Goal(loss, loss, weight) for loss in losses)


def _original_widths(columns: Columns) -> tuple[int, ...]:
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
