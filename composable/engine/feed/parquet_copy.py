"""Parquet files of large row groups, copied once so that a chunk mixes rows from all over them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from composable.core.errors import DataError
from composable.engine.feed.arrow import ArrowFeed, arrow_feed
from composable.engine.feed.arrow_copy import arrow_copy, copy_path
from composable.engine.feed.parquet import ParquetFeed, damaged_parquet
from composable.engine.feed.tables import Encode, plain_schema

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
            raise damaged_parquet(path, damaged) from damaged
