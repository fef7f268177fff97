"""Chunks of many batches, in an order that seed and epoch decide: what the engine learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from composable.core.errors import ConfigError, DataError
from composable.data.names import shown
from composable.engine.rows import Rows

_COUNTED_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows of one epoch.

    Attributes:
        inputs: Arrays, rows first, by the names of the model's inputs.
        targets: One array per head, rows first.
        weights: How much each row counts, (rows,); None for all the same.
        number: Of the chunk in its epoch, from 0: with the epoch, the position to resume from.
    """

    inputs: Mapping[str, np.ndarray]
    targets: tuple[np.ndarray, ...]
    weights: np.ndarray | None
    number: int

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))


@runtime_checkable
class Feed(Protocol):
    """A source of rows, read anew in every epoch."""

    @property
    def rows(self) -> int | None:
        """How many rows an epoch has; None where only a pass would count them."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether the order is a function of seed and epoch alone; False where the source has its own."""
        ...

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """The chunks of one epoch, each row in exactly one of them.

        Args:
            seed: Of the order.
            epoch: Each has another order.
            rows: Of every chunk but the last, which may be shorter.
            first: The number of the chunk to begin with; those from there on are the same as without it.
        """
        ...


def rows_in(feed: Feed) -> int:
    """How many rows an epoch has: where the source has no number of rows, it is read once to count them.

    Raises:
        DataError: If there are none.
    """
    rows = feed.rows
    if rows is None:
        rows = sum(len(chunk) for chunk in feed.chunks(seed=0, epoch=0, rows=_COUNTED_AT_ONCE))
    if rows == 0:
        raise DataError("There must be rows to learn from.", received=f"{type(feed).__name__} without any")
    return rows


def chunk_of(rows: Rows, number: int, *, origin: str) -> Chunk:
    """The rows as a chunk, once it is certain that a device can take them.

    Raises:
        DataError: If there are no inputs, arrays differ in length, or one holds objects or text.
    """
    if not rows.inputs:
        raise DataError("There must be an input.", received=f"{origin} gives none")
    arrays = {**rows.inputs, **{f"target {i}": target for i, target in enumerate(rows.targets)}}
    if rows.weights is not None:
        arrays["weights"] = rows.weights
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind in "OSUV" or not array.ndim:
            kind = f"{array.dtype}, {array.ndim}-D" if isinstance(array, np.ndarray) else type(array).__name__
            raise DataError(
                "Inputs, targets and weights must be arrays of numbers, rows first.",
                received=f"{origin}: {shown(name)} is {kind}",
                remedy="encode text as numbers first",
            )
        if len(array) != len(rows):
            raise DataError(
                "Inputs, targets and weights must have the same number of rows.",
                received=f"{origin}: {shown(next(iter(arrays)))} has {len(rows)}, {shown(name)} {len(array)}",
            )
    return Chunk(rows.inputs, rows.targets, rows.weights, number)


def check_chunk(rows: int, first: int) -> None:
    """Refuse a chunk size or position that can't be.

    Raises:
        ConfigError: If a chunk were to have no rows, or the first one a negative number.
    """
    if rows < 1 or first < 0:
        raise ConfigError(
            "A chunk must have rows, and chunks are numbered from 0.",
            received=f"{rows} rows per chunk, beginning at chunk {first}",
        )
