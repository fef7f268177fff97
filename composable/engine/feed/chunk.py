"""Chunks of many batches, in an order that seed and epoch decide: what the engine learns from.

The order of an epoch is all rows at random, or, of a file, random blocks of neighboring rows. Reading single
rows at random from a file reads a page, or decodes a row group, for each of them. Blocks keep the reading
sequential; the blocks in a chunk are random ones, and its rows are mixed. No state is carried from chunk to
chunk, as in a shuffle buffer, so an epoch can begin at any chunk.

The simplest source is arrays in memory, or in files that are mapped into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from composable.core.errors import ConfigError, DataError
from composable.core.seeds import derive
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
