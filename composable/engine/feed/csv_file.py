"""A CSV or TSV file as chunks: read once from end to end, as `read_table` reads it, into an Arrow copy."""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow as pa

from composable.core.errors import DataError
from composable.data.reading.text_file import blocks, header, text_format, text_rows
from composable.data.schema import TextFormat
from composable.engine.feed.arrow import ArrowFeed, arrow_feed
from composable.engine.feed.arrow_copy import arrow_copy, copy_path
from composable.engine.feed.tables import Encode


def csv_feed(path: Path, encode: Encode, *, cache: Path, form: TextFormat | None = None) -> ArrowFeed:
    """A delimited text file, plain or gzip-compressed.

    Rows can't be found in a text file without reading all of it, as a quoted cell may hold line breaks. So
    the file is copied to `cache` when it is first met, or has changed since (size or time of change).

    Args:
        path: The file.
        encode: From raw rows to what a network learns; every cell is text, empty ones are missing.
        cache: The folder for the copy, of about the size of the unpacked file.
        form: The layout of the file, as `read_table` returned it; None detects it again.

    Raises:
        DataError: If the file can't be a table; names the line.
        SetupError: If the copy can't be written.
    """
    copy = copy_path([path], cache, form and (form.encoding, form.delimiter, form.quote))
    if not copy.exists():
        _copy(path, copy, form or text_format(path))
    return arrow_feed(copy, encode, str(path))


def _copy(path: Path, copy: Path, form: TextFormat) -> None:
    with text_rows(path, form) as rows:
        names = header(rows, str(path))
        found = blocks(rows, len(names))
        first = next(found, None)
        if first is None:
            raise DataError("The table needs rows.", received=f"{path} has a header and no rows")
        schema = pa.schema([(name, pa.large_string()) for name in names])
        batches = (pa.record_batch(columns, schema) for columns in itertools.chain((first,), found))
        arrow_copy(copy, schema, batches)
