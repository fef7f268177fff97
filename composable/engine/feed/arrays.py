"""Arrays in memory, or in files that are mapped into it, as chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from composable.engine.feed.chunk import Chunk, ShuffledBlocks, check_chunk, chunk_of, shuffled_rows
from composable.engine.rows import Rows

_READ = 1 << 16  # bytes of a mapped file that are read at once at least


@dataclass(frozen=True, eq=False)
class ArraysFeed:
    """Arrays, rows first, as for `composable.engine.rows.Rows`; `np.memmap` too.

    Rows in memory are shuffled freely, in the order of the compiled epoch. Of a mapped file, neighboring
    rows that fill 64 KiB are read together (see `composable.engine.feed.chunk`).

    Attributes:
        inputs: By the names of the model's inputs.
        targets: One array per head.
        weights: How much each row counts, (rows,); None for all the same.
        among: The numbers of the rows that are fed, ascending; None for all.
    """

    inputs: Mapping[str, np.ndarray]
    targets: tuple[np.ndarray, ...]
    weights: np.ndarray | None = None
    among: np.ndarray | None = None
    repeatable = True

    def __post_init__(self) -> None:
        chunk_of(Rows(self.inputs, self.targets, self.weights), 0, origin="the arrays")

    @property
    def rows(self) -> int:
        """How many rows an epoch has."""
        return len(next(iter(self.inputs.values())) if self.among is None else self.among)

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`."""
        check_chunk(rows, first)
        everything = Rows(self.inputs, self.targets, self.weights)
        if block := _rows_read_at_once(everything):
            orders = _block_orders(self.rows, block, seed=seed, epoch=epoch, rows=rows, first=first)
        else:
            order = shuffled_rows(self.rows, seed=seed, epoch=epoch)
            orders = (order[start : start + rows] for start in range(first * rows, self.rows, rows))
        for number, taken in enumerate(orders, first):
            chosen = taken if self.among is None else self.among[taken]
            yield chunk_of(everything.take(chosen), number, origin="the arrays")


def _rows_read_at_once(everything: Rows) -> int:
    """How many rows of the narrowest mapped array fill one read; 0 where that is one or none is mapped."""
    arrays = [*everything.inputs.values(), *everything.targets]
    widths = [array[:1].nbytes for array in arrays if isinstance(array, np.memmap) and len(array)]
    block = _READ // max(1, max(widths)) if widths else 0
    return block if block > 1 else 0


def _block_orders(
    total: int, block: int, *, seed: int, epoch: int, rows: int, first: int
) -> Iterator[np.ndarray]:
    starts = np.arange(0, total, block)
    blocks = ShuffledBlocks(np.minimum(block, total - starts), seed=seed, epoch=epoch)
    for number in range(first, blocks.chunks(rows)):
        mixture = blocks.mixture(number, rows)
        yield np.concatenate([starts[which] + within for which, within in mixture.pieces])[mixture.order]
