"""The columns of a table among a network's inputs, the targets that their cells make, and their losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from keras import ops

from composable.core.errors import DataError
from composable.engine.objective import Goal, Loss
from composable.training.stages.pretrain.pretext import Unlabeled

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


def original_goals(columns: Columns, weight: float = 1.0) -> tuple[Goal, ...]:
    """Of the heads for numbers and for categories, as far as there are such columns."""
    losses: list[Loss] = [known_squared_error] if columns.numbers else []
    losses += [partial(column_cross_entropy, columns.sizes)] if columns.codes else []
    return tuple(Goal(loss, loss, weight) for loss in losses)


def original_widths(columns: Columns) -> tuple[int, ...]:
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
