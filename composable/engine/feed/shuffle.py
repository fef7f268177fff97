"""The order of an epoch: all rows at random, or, of a file, random blocks of neighboring rows.

Reading single rows at random from a file reads a page, or decodes a row group, for each of them. Blocks keep
the reading sequential; the blocks in a chunk are random ones, and its rows are mixed. No state is carried
from chunk to chunk, as in a shuffle buffer, so an epoch can begin at any chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from composable.core.seeds import derive


def shuffled_rows(rows: int, *, seed: int, epoch: int) -> np.ndarray:
    """All row numbers, (rows,), in the order in which `composable.engine.rows.shuffled` takes them."""
    kind = np.int32 if rows <= np.iinfo(np.int32).max else np.int64
    return np.random.default_rng((seed, epoch)).permutation(np.arange(rows, dtype=kind))


@dataclass(frozen=True, eq=False)
class KeptRows:
    """The rows of a source in blocks, but for some that are left out.

    Attributes:
        starts: The number of the first row of each block, ascending.
        total: How many rows there are.
        without: The numbers of the rows that are left out, ascending.
    """

    starts: np.ndarray
    total: int
    without: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """How many rows of each block are kept."""
        ends = np.append(self.starts[1:], self.total)
        left_out = np.searchsorted(self.without, ends) - np.searchsorted(self.without, self.starts)
        return ends - self.starts - left_out

    def within(self, block: int, kept: np.ndarray) -> np.ndarray:
        """Where the rows lie in a block that have these numbers among those of it that are kept."""
        start = self.starts[block]
        end = self.starts[block + 1] if block + 1 < len(self.starts) else self.total
        first, last = np.searchsorted(self.without, (start, end))
        return np.delete(np.arange(end - start), self.without[first:last] - start)[kept]

    def pieces(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """The blocks in which ascending row numbers lie, and where they do, whether they are kept or not."""
        blocks = np.searchsorted(self.starts, rows, side="right") - 1
        for block in np.unique(blocks):
            yield int(block), rows[blocks == block] - self.starts[block]


@dataclass(frozen=True, eq=False)
class Mixture:
    """The rows of one chunk.

    Attributes:
        pieces: Pairs of a block's number and the rows to take, counted in that block.
        order: Where each row goes: row i of the chunk is row `order[i]` of the pieces one after another.
    """

    pieces: tuple[tuple[int, np.ndarray], ...]
    order: np.ndarray


class ShuffledBlocks:
    """The blocks of a source one after another at random, cut into chunks.

    A block that the border of two chunks cuts gives each of them rows from all over the block.

    Args:
        sizes: Rows of each block.
        seed: Of the order.
        epoch: Each has another order.
    """

    def __init__(self, sizes: Sequence[int] | np.ndarray, *, seed: int, epoch: int) -> None:
        self._seed, self._epoch = seed, epoch
        self._blocks = self._random("blocks").permutation(len(sizes))
        self._ends = np.cumsum(np.asarray(sizes, dtype=np.int64)[self._blocks])

    def chunks(self, rows: int) -> int:
        """How many chunks of so many rows there are, a shorter last one included."""
        return -(-int(self._ends[-1]) // rows) if len(self._ends) else 0

    def mixture(self, number: int, rows: int) -> Mixture:
        """The rows of chunk `number`, where chunks have `rows` rows."""
        start = number * rows
        stop = min(start + rows, int(self._ends[-1]))
        low = int(np.searchsorted(self._ends, start, side="right"))
        high = int(np.searchsorted(self._ends, stop, side="left")) + 1
        pieces = tuple(self._piece(index, start, stop) for index in range(low, high))
        return Mixture(pieces, self._random("chunk", number).permutation(stop - start))

    def _piece(self, index: int, start: int, stop: int) -> tuple[int, np.ndarray]:
        block, begin, end = int(self._blocks[index]), self._begin(index), int(self._ends[index])
        if begin >= start and end <= stop:
            return block, np.arange(end - begin)
        within = self._random("block", block).permutation(end - begin)
        return block, within[max(0, start - begin) : stop - begin]

    def _begin(self, index: int) -> int:
        return int(self._ends[index - 1]) if index else 0

    def _random(self, *names: object) -> np.random.Generator:
        return np.random.default_rng(derive(self._seed, "feed", self._epoch, *names))
