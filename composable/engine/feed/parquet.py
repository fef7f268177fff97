"""Parquet files as chunks, read row group by row group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from composable.core.errors import DataError
from composable.data.names import check_names
from composable.engine.feed.chunk import Chunk, check_chunk
from composable.engine.feed.shuffle import ShuffledBlocks
from composable.engine.feed.tables import Encode, encoded_chunk, plain_schema


@dataclass(frozen=True, eq=False)
class ParquetFeed:
    """One Parquet file, or several of the same columns.

    The row groups follow one another at random; the rows of a chunk are mixed. So a chunk holds rows of
    about `rows / size of a row group` groups, and where a group is larger than a chunk it feeds several in
    succession. In memory: a chunk and a row group, as raw rows, while it is made.

    Attributes:
        paths: The files.
        encode: From raw rows to inputs and targets.
    """

    paths: tuple[Path, ...]
    encode: Encode
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
    def rows(self) -> int:
        """How many rows an epoch has."""
        return sum(file.num_rows for file in self._files)

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`.

        Raises:
            DataError: If a file is damaged or a column can't be read; names it.
        """
        check_chunk(rows, first)
        blocks = ShuffledBlocks([size for _, _, size in self.groups], seed=seed, epoch=epoch)
        held: tuple[int, pa.Table] | None = None  # the last group, which the next chunk may go on with
        for number in range(first, blocks.chunks(rows)):
            mixture = blocks.mixture(number, rows)
            pieces = []
            for block, within in mixture.pieces:
                if held is None or held[0] != block:
                    held = None
                    held = block, self._read(block)
                pieces.append(held[1].take(pa.array(within)))
            chunk = encoded_chunk(
                pieces, mixture.order, self.encode, number=number, origin=str(self.paths[0])
            )
            del pieces  # raw rows, which would live on while the chunk waits
            yield chunk

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

    def _read(self, block: int) -> pa.Table:
        which, group, _ = self.groups[block]
        path = self.paths[which]
        try:
            with pq.ParquetFile(path, metadata=self._files[which]) as file:
                return file.read_row_group(group).cast(plain_schema(file.schema_arrow))
        except (pa.ArrowException, OSError) as damaged:
            raise damaged_parquet(path, damaged) from damaged


def _metadata(path: Path) -> pq.FileMetaData:
    try:
        metadata = pq.read_metadata(path)
        names = metadata.schema.to_arrow_schema().names
    except (pa.ArrowException, OSError) as damaged:
        raise damaged_parquet(path, damaged) from damaged
    check_names(names, origin=str(path))
    return metadata


def damaged_parquet(path: Path, damaged: Exception) -> DataError:
    """The error for a file that Arrow can't read."""
    return DataError("The Parquet file must be whole.", received=f"{path}: {str(damaged)[:200]}")
