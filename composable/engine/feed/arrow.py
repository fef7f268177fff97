"""An Arrow file as chunks: mapped into memory, so that any rows of it are read at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from composable.core.errors import ArtifactError
from composable.engine.feed.arrow_copy import BATCH
from composable.engine.feed.chunk import Chunk, check_chunk
from composable.engine.feed.shuffle import ShuffledBlocks
from composable.engine.feed.tables import Encode, encoded_chunk

_BLOCKS = 64  # of which a chunk is mixed at least


@dataclass(frozen=True, eq=False)
class ArrowFeed:
    """A copy made by `composable.engine.feed.arrow_copy.arrow_copy`.

    Blocks of at most `BATCH` neighboring rows, so small that a chunk mixes 64 of them or more, follow one
    another at random; the rows of a chunk are mixed. In memory: a chunk of raw rows while it is made.

    Attributes:
        path: The copy.
        rows: How many it has.
        encode: From raw rows to inputs and targets.
        origin: What it is a copy of, for errors.
    """

    path: Path
    rows: int
    encode: Encode
    origin: str
    repeatable = True

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`."""
        check_chunk(rows, first)
        # A power of two divides BATCH: no block lies in two record batches.
        block = min(BATCH, 1 << (max(1, rows // _BLOCKS).bit_length() - 1))
        starts = np.arange(0, self.rows, block)
        blocks = ShuffledBlocks(np.minimum(block, self.rows - starts), seed=seed, epoch=epoch)
        with _opened(self.path) as file:
            for number in range(first, blocks.chunks(rows)):
                mixture = blocks.mixture(number, rows)
                yield encoded_chunk(
                    [_taken(file, int(starts[which]), within) for which, within in mixture.pieces],
                    mixture.order,
                    self.encode,
                    number=number,
                    origin=self.origin,
                )


def arrow_feed(path: Path, encode: Encode, origin: str) -> ArrowFeed:
    """The feed from a copy.

    Args:
        path: The copy.
        encode: From raw rows to inputs and targets.
        origin: What it is a copy of, for errors.

    Raises:
        ArtifactError: If the copy is damaged.
    """
    with _opened(path) as file:
        last = file.num_record_batches - 1
        return ArrowFeed(path, last * BATCH + file.get_batch(last).num_rows, encode, origin)


def _opened(path: Path) -> pa.ipc.RecordBatchFileReader:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)))
    except (pa.ArrowException, OSError) as damaged:
        raise ArtifactError(
            "The Arrow copy of a table must be whole.",
            received=f"{path}: {str(damaged)[:200]}",
            remedy="delete it; it will be made again",
        ) from damaged


def _taken(file: pa.ipc.RecordBatchFileReader, start: int, within: np.ndarray) -> pa.Table:
    batch = file.get_batch(start // BATCH)
    return pa.Table.from_batches([batch.take(pa.array(start % BATCH + within))])
