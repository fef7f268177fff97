"""A CSV or TSV file as chunks: read once from end to end, as `read_table` reads it, into an Arrow copy."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from composable.core.errors import DataError
from composable.data.names import check_names
from composable.data.reading.text_encoding import detect_encoding, foreign_format
from composable.data.reading.text_layout import END, CsvReader, checked_rows, detect_layout
from composable.data.schema import TextFormat
from composable.engine.feed.arrow import ArrowFeed, arrow_feed
from composable.engine.feed.arrow_copy import arrow_copy, copy_path
from composable.engine.feed.tables import Encode

_SAMPLE_LINES = 200
_CELLS = 250_000  # Python texts in memory


def csv_feed(path: Path, encode: Encode, *, cache: Path, form: TextFormat | None = None) -> ArrowFeed:
    """A delimited text file, plain or gzip-compressed.

    Rows can't be found in a text file without reading all of it, as a quoted cell may hold line breaks. So
    the file is copied to `cache` when it is first met, or has changed since (size or time of change).

    Args:
        path: The file.
        encode: From raw rows to inputs and targets; every cell is text, empty ones are missing.
        cache: The folder for the copy, of about the size of the unpacked file.
        form: The layout of the file, as `read_table` returned it; None detects it again.

    Raises:
        DataError: If the file can't be a table; names the line.
        SetupError: If the copy can't be written.
    """
    copy = copy_path([path], cache, form and (form.encoding, form.delimiter, form.quote))
    if not copy.exists():
        try:
            _copy(path, copy, form)
        except (EOFError, gzip.BadGzipFile, zlib.error) as damaged:
            raise DataError("The gzip archive must be whole.", received=f"{path}: {damaged}") from damaged
    return arrow_feed(copy, encode, str(path))


def _copy(path: Path, copy: Path, form: TextFormat | None) -> None:
    origin = str(path)
    open_file = cast(
        "partial[BinaryIO]", partial(gzip.open if path.suffix.lower() == ".gz" else open, path, "rb")
    )
    with open_file() as stream:
        if found := foreign_format(stream.read(4096)):
            raise DataError(
                "The file must be a text table.", received=f"{origin} is {found[0]}", remedy=found[1]
            )
    encoding, _ = detect_encoding(open_file, origin=origin, stated=form.encoding if form else None)
    with open_file() as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, newline=None)
        layout = form or detect_layout(list(itertools.islice(text, _SAMPLE_LINES)))
    with open_file() as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, newline=None)
        reader = csv.reader(itertools.chain(text, (END,)), delimiter=layout.delimiter, quotechar=layout.quote)
        _copy_rows(reader, copy, origin)


def _copy_rows(reader: CsvReader, copy: Path, origin: str) -> None:
    rows = checked_rows(reader, origin)
    names = next(rows, [])
    if not names:
        raise DataError("The file must hold a table.", received=f"{origin} is empty")
    check_names(names, origin=origin)
    first = next(rows, None)
    if first is None:
        raise DataError("The table needs rows.", received=f"{origin} has a header and no rows")
    schema = pa.schema([(name, pa.large_string()) for name in names])
    arrow_copy(copy, schema, _batches(itertools.chain((first,), rows), schema))


def _batches(rows: Iterator[list[str]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while block := list(itertools.islice(rows, max(1, _CELLS // len(schema)))):
        columns = zip(*block, strict=True)
        yield pa.record_batch(
            [pa.array([cell or None for cell in cells], pa.large_string()) for cells in columns], schema
        )
