"""Read a CSV or TSV file: one streaming pass, every cell as it was written, every fault with its line."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import itertools
import re
import zlib
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from composable.core.errors import ConfigError, DataError
from composable.data.names import check_names, shown
from composable.data.reading.text_encoding import GZIP, detect_encoding, foreign_format
from composable.data.reading.text_layout import END, CsvReader, checked_rows, detect_decimal, detect_layout
from composable.data.schema import Notice, TextFormat
from composable.data.table import Table

_SAMPLE_LINES = 200
_CHUNK_CELLS = 250_000
_NUMBER = re.compile(r"\s*[+-]?\d+(?:[.,]\d*)?\s*")


def read_text_file(
    path: Path, *, encoding: str | None, delimiter: str | None, decimal: str | None, allow_empty: bool = False
) -> Table:
    """Read a delimited text file, plain or gzip-compressed. See `composable.data.read.read_table`."""
    origin = str(path)
    delimiter = _checked(delimiter)
    if decimal not in (None, ".", ","):
        raise ConfigError("--decimal must be '.' or ','.", received=shown(decimal))
    open_file = cast(
        "partial[BinaryIO]", partial(gzip.open if path.suffix.lower() == ".gz" else open, path, "rb")
    )
    try:
        with open_file() as stream:
            _refuse_foreign(stream.read(4096), path)
        encoding, notices = detect_encoding(open_file, origin=origin, stated=encoding)
        with open_file() as stream:
            text = io.TextIOWrapper(stream, encoding=encoding, newline=None)
            sample = list(itertools.islice(text, _SAMPLE_LINES))
        layout = detect_layout(sample, stated=delimiter)
        notices += layout.notices
        if decimal is None:
            decimal, found = detect_decimal(sample, layout)
            notices += found
        with open_file() as stream:
            text = io.TextIOWrapper(stream, encoding=encoding, newline=None)
            lines = itertools.chain(text, (END,))
            reader = csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote)
            names, columns, found = _columns(reader, origin=origin, allow_empty=allow_empty)
        notices += found
    except (EOFError, gzip.BadGzipFile, zlib.error) as damaged:
        raise DataError("The gzip archive must be whole.", received=f"{origin}: {damaged}") from damaged
    form = TextFormat(encoding, layout.delimiter, decimal, layout.quote, notices)
    frame = pa.table(columns, names=names).to_pandas()
    with path.open("rb") as stream:
        fingerprint = hashlib.file_digest(stream, "sha256").hexdigest()
    return Table(frame, origin, fingerprint, form, notices)


def _checked(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter.lower(), delimiter)
    if len(delimiter) != 1 or delimiter in "\"'\r\n\0":
        raise ConfigError(
            "--delimiter must be one character.", received=shown(delimiter), remedy="for a tab write '\\t'"
        )
    return delimiter


def _refuse_foreign(head: bytes, path: Path) -> None:
    if not head:
        raise DataError("The file must hold a table.", received=f"{path} is empty: 0 bytes")
    if path.suffix.lower() == ".gz" and head.startswith(GZIP):
        raise DataError(
            "The file must be compressed once.", received=f"{path} is gzip inside gzip", remedy="unpack it"
        )
    if found := foreign_format(head):
        raise DataError(
            "The file must be a text table or Parquet.", received=f"{path} is {found[0]}", remedy=found[1]
        )


def _columns(
    reader: CsvReader, *, origin: str, allow_empty: bool
) -> tuple[list[str], list[pa.Array], tuple[Notice, ...]]:
    """Names and columns; empty cells are null. Memory: one chunk of Python texts beside the Arrow columns."""
    rows = checked_rows(reader, origin)
    names = next(rows, [])
    if not names:
        raise DataError("The file must hold a table.", received=f"{origin} holds only blank lines")
    check_names(names, origin=origin)
    size = max(1, _CHUNK_CELLS // len(names))
    pieces: list[list[pa.Array]] = [[] for _ in names]
    while block := list(itertools.islice(rows, size)):
        for column, cells in zip(pieces, zip(*block, strict=True), strict=True):
            column.append(pa.array([cell or None for cell in cells], pa.large_string()))
    if not pieces[0] and not allow_empty:
        raise DataError("The table needs rows.", received=f"{origin} has a header and no rows")
    columns = []
    for column in pieces:
        columns.append(pa.concat_arrays(column or [pa.array([], pa.large_string())]))
        column.clear()  # so that no more than one column is held twice
    return names, columns, _header_notices(names)


def _header_notices(names: list[str]) -> tuple[Notice, ...]:
    numbered = names in ([str(start + i) for i in range(len(names))] for start in (0, 1))
    if numbered or not all(_NUMBER.fullmatch(name) for name in names):
        return ()
    return (
        Notice(
            "The first line is taken as names, but it holds only numbers: is the header missing?",
            level="warning",
            remedy="write a line of names at the top of the file",
        ),
    )
