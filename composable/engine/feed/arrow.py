"""An Arrow file as chunks: mapped into memory, so that any rows of it are read at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from composable.core.errors import ArtifactError
from composable.engine.feed.arrow_copy import BATCH
from composable.engine.feed.chunk import Chunk, check_chunk
from composable.engine.feed.shuffle import KeptRows, ShuffledBlocks
from composable.engine.feed.tables import Encode, encoded_chunk, raw_frame

_BLOCKS = 64  # of which a chunk is mixed at least


@dataclass(frozen=True, eq=False)
class ArrowFeed:
    """A copy made by `composable.engine.feed.arrow_copy.arrow_copy`.

    Blocks of at most `BATCH` neighboring rows, so small that a chunk mixes 64 of them or more, follow one
    another at random; the rows of a chunk are mixed. In memory: a chunk of raw rows while it is made.

    Attributes:
        path: The copy.
        total: How many rows it has.
        encode: From raw rows to what a network learns.
        origin: What it is a copy of, for errors.
        without: The numbers of rows that aren't fed, ascending.
    """

    path: Path
    total: int
    encode: Encode
    origin: str
    without: np.ndarray = field(default_factory=lambda: np.arange(0))
    repeatable = True

    @property
    def rows(self) -> int:
        """How many rows an epoch has."""
        return self.total - len(self.without)

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`."""
        check_chunk(rows, first)
        # A power of two divides BATCH: no block lies in two record batches.
        block = min(BATCH, 1 << (max(1, rows // _BLOCKS).bit_length() - 1))
        kept = KeptRows(np.arange(0, self.total, block), self.total, self.without)
        blocks = ShuffledBlocks(kept.sizes, seed=seed, epoch=epoch)
        with _opened(self.path) as file:
            for number in range(first, blocks.chunks(rows)):
                mixture = blocks.mixture(number, rows)
                yield encoded_chunk(
                    [
                        _taken(file, which * block + kept.within(which, within))
                        for which, within in mixture.pieces
                    ],
                    mixture.order,
                    self.encode,
                    number=number,
                    origin=self.origin,
                )

    def frame(self, rows: np.ndarray, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The raw rows of these ascending numbers, those that aren't fed too; some columns or all."""
        blocks = KeptRows(np.arange(0, self.total, BATCH), self.total, self.without)
        with _opened(self.path) as file:
            pieces = [_taken(file, which * BATCH + within, columns) for which, within in blocks.pieces(rows)]
            return raw_frame(pieces, self.origin)


def arrow_feed(path: Path, encode: Encode, origin: str) -> ArrowFeed:
    """The feed from a copy.

    Args:
        path: The copy.
        encode: From raw rows to what a network learns.
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


def _taken(
    file: pa.ipc.RecordBatchFileReader, rows: np.ndarray, columns: Sequence[str] | None = None
) -> pa.Table:
    """Rows of one record batch; none at all are those of the first one."""
    batch = file.get_batch(int(rows[0]) // BATCH if len(rows) else 0)
    batch = batch if columns is None else batch.select(list(columns))
    return pa.Table.from_batches([batch.take(pa.array(rows % BATCH))])
