"""Rows to learn from, and their order: a function of seed and epoch, the same on every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

EVALUATED = 1024  # rows at once


@dataclass(frozen=True, eq=False)
class Rows:
    """Inputs, one target array per head and a weight per row.

    Attributes:
        inputs: Arrays, rows first, by the names of the model's inputs.
        targets: One array per head, rows first. NaN, or -1 among whole numbers, is a missing label: that row
            counts for the other heads alone.
        weights: How much each row counts, in the loss and in the measure; None for all the same.
    """

    inputs: Mapping[str, np.ndarray]
    targets: tuple[np.ndarray, ...]
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def take(self, rows: np.ndarray) -> Rows:
        """These rows alone."""
        return Rows(
            {name: values[rows] for name, values in self.inputs.items()},
            tuple(target[rows] for target in self.targets),
            None if self.weights is None else self.weights[rows],
        )


@dataclass(frozen=True)
class BatchPlan:
    """How the rows are spread over the steps of an epoch.

    Attributes:
        steps: Of one epoch.
        size: Rows of a step at most.
    """

    steps: int
    size: int


def batch_plan(rows: int, batch_size: int) -> BatchPlan:
    """As few steps as `batch_size` allows, all of nearly the same size: no step of a handful of rows."""
    steps = max(1, -(-rows // batch_size))
    return BatchPlan(steps, max(1, -(-rows // steps)))


def shuffled(rows: np.ndarray, plan: BatchPlan, *, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """The batches of one epoch.

    Args:
        rows: The indices of the rows to learn from.
        plan: How they are spread.
        seed: Of the order.
        epoch: Each has another order.

    Returns:
        (steps, size) row numbers, int32, and (steps, size) whether they count. Where a step has fewer rows
        than `size` it is filled up with other rows, which don't count, though normalization may use them.
    """
    order = np.random.default_rng((seed, epoch)).permutation(rows).astype("int32")
    ends = np.linspace(0, len(order), plan.steps + 1).round().astype(int)
    indices = ends[:-1, None] + np.arange(plan.size)
    return order[indices % len(order)], indices < ends[1:, None]


def blocks(rows: np.ndarray, size: int, *, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Rows one after another in blocks of one size: (blocks, size) numbers, and which of them count."""
    count = max(least, 1, -(-len(rows) // size))
    indices = np.arange(count * size).reshape(count, size)
    numbers = rows[np.minimum(indices, max(len(rows) - 1, 0))] if len(rows) else np.zeros_like(indices)
    return numbers.astype("int32"), indices < len(rows)


def held_out_blocks(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The rows of each instance in as many blocks of one size: (instances, blocks, size), and which count."""
    longest = max(map(len, rows))
    size = min(EVALUATED, max(longest, 1))
    found = [blocks(one, size, least=-(-longest // size)) for one in rows]
    numbers, counted = zip(*found, strict=True)
    return np.stack(numbers), np.stack(counted)


def on_host(value: Any) -> Any:
    """A backend's array as NumPy's; `float` of it is the number of a scalar."""
    return np.asarray(keras.ops.convert_to_numpy(value))


def as_model_input(model: keras.Model, inputs: Any) -> Any:
    """The arrays in the structure that the model takes, found by the names of its inputs."""
    wanted = model.input
    if isinstance(wanted, dict):
        return {name: inputs[name] for name in wanted}
    if isinstance(wanted, (list, tuple)):
        return [inputs[tensor.name] for tensor in wanted]
    return next(iter(inputs.values())) if len(inputs) == 1 else inputs[wanted.name]
