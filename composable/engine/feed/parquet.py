"""Parquet files as chunks, read row group by row group.

Files of large row groups are copied once to an Arrow file, so that a chunk mixes rows from all over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from composable.core.errors import DataError
from composable.data.names import check_names
from composable.engine.feed.arrow import (
    ArrowFeed,
    Encode,
    arrow_copy,
    arrow_feed,
    copy_path,
    encoded_chunk,
    plain_schema,
    raw_frame,
)
from composable.engine.feed.chunk import Chunk, KeptRows, ShuffledBlocks, check_chunk

LARGE = 1 << 16  # rows of a row group that is copied


def parquet_feed(paths: tuple[Path, ...], encode: Encode, *, cache: Path | None) -> ParquetFeed | ArrowFeed:
    """Read the files where they lie, or, where a row group is `LARGE`, from a copy.

    A row group is decoded as a whole, and is the smallest part of a file that can be read by itself. Large
    ones take memory, and mix badly: whole chunks come from one of them.

    Args:
        paths: One file, or several of the same columns.
        encode: From raw rows to what a network learns.
        cache: The folder for the copy, as large as the data unpacked; None reads the files in any case.

    Raises:
        DataError: If there are no rows, a file is damaged, or the files differ in their columns.
        SetupError: If the copy can't be written.
    """
    feed = ParquetFeed(paths, encode)
    if not feed.rows:
        raise DataError("The table needs rows.", received=f"{paths[0]} has none")
    if cache is None or max(size for _, _, size in feed.groups) < LARGE:
        return feed
    copy = copy_path(paths, cache)
    if not copy.exists():
        schema = plain_schema(pq.read_schema(paths[0]))
        arrow_copy(copy, schema, _batches(paths, schema))
    return arrow_feed(copy, encode, str(paths[0]))


def _batches(paths: tuple[Path, ...], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(LARGE):
                    yield batch.cast(schema)
        except (pa.ArrowException, OSError) as damaged:
            raise _damaged_parquet(path, damaged) from damaged


@dataclass(frozen=True, eq=False)
class ParquetFeed:
    """One Parquet file, or several of the same columns.

    The row groups follow one another at random; the rows of a chunk are mixed. So a chunk holds rows of
    about `rows / size of a row group` groups, and where a group is larger than a chunk it feeds several in
    succession. In memory: a chunk and a row group, as raw rows, while it is made.

    Attributes:
        paths: The files.
        encode: From raw rows to what a network learns.
        without: The numbers of rows that aren't fed, ascending.
    """

    paths: tuple[Path, ...]
    encode: Encode
    without: np.ndarray = field(default_factory=lambda: np.arange(0))
    repeatable = True

    @cached_property
    def groups(self) -> tuple[tuple[int, int, int], ...]:
        """Of every row group: its file, its number there, its rows."""
        return tuple(
            (which, group, file.row_group(group).num_rows)
            for which, file in enumerate(self._files)
            for group in range(file.num_row_groups)
        )

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(file.num_rows for file in self._files)

    @property
    def rows(self) -> int:
        """How many rows an epoch has."""
        return self.total - len(self.without)

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`.

        Raises:
            DataError: If a file is damaged or a column can't be read; names it.
        """
        check_chunk(rows, first)
        blocks = ShuffledBlocks(self._kept.sizes, seed=seed, epoch=epoch)
        held: tuple[int, pa.Table] | None = None  # the last group, which the next chunk may go on with
        for number in range(first, blocks.chunks(rows)):
            mixture = blocks.mixture(number, rows)
            pieces = []
            for block, within in mixture.pieces:
                if held is None or held[0] != block:
                    held = None
                    held = block, self._read(block)
                pieces.append(held[1].take(pa.array(self._kept.within(block, within))))
            chunk = encoded_chunk(
                pieces, mixture.order, self.encode, number=number, origin=str(self.paths[0])
            )
            del pieces  # raw rows, which would live on while the chunk waits
            yield chunk

    def frame(self, rows: np.ndarray, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The raw rows of these ascending numbers, those that aren't fed too; some columns or all."""
        pieces = self._kept.pieces(rows)
        found = [self._read(block, columns).take(pa.array(within)) for block, within in pieces]
        return raw_frame(found, str(self.paths[0]))

    @cached_property
    def _kept(self) -> KeptRows:
        starts = np.cumsum([0, *(size for _, _, size in self.groups)])[:-1]
        return KeptRows(starts, self.total, self.without)

    @cached_property
    def _files(self) -> tuple[pq.FileMetaData, ...]:
        files = tuple(map(_metadata, self.paths))
        for path, file in zip(self.paths, files, strict=True):
            if not file.schema.equals(files[0].schema):
                raise DataError(
                    "Parquet files read together must have the same columns of the same types.",
                    received=f"{path} differs from {self.paths[0]}",
                )
        return files

    def _read(self, block: int, columns: Sequence[str] | None = None) -> pa.Table:
        which, group, _ = self.groups[block]
        path = self.paths[which]
        try:
            with pq.ParquetFile(path, metadata=self._files[which]) as file:
                found = file.read_row_group(group, None if columns is None else list(columns))
            return found.cast(plain_schema(found.schema))
        except (pa.ArrowException, OSError) as damaged:
            raise _damaged_parquet(path, damaged) from damaged


def _metadata(path: Path) -> pq.FileMetaData:
    try:
        metadata = pq.read_metadata(path)
        names = metadata.schema.to_arrow_schema().names
    except (pa.ArrowException, OSError) as damaged:
        raise _damaged_parquet(path, damaged) from damaged
    check_names(names, origin=str(path))
    return metadata


def _damaged_parquet(path: Path, damaged: Exception) -> DataError:
    """The error for a file that Arrow can't read."""
    return DataError("The Parquet file must be whole.", received=f"{path}: {str(damaged)[:200]}")
