"""Read a CSV or TSV file: one streaming pass, every cell as it was written, every fault with its line."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import itertools
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from composable.core.errors import ConfigError, DataError
from composable.data.names import check_names, shown
from composable.data.reading.text_encoding import GZIP, detect_encoding, foreign_format
from composable.data.reading.text_layout import END, checked_rows, detect_decimal, detect_layout
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
    form = text_format(path, encoding=encoding, delimiter=delimiter, decimal=decimal)
    with text_rows(path, form) as rows:
        names, columns = _columns(rows, origin=origin, allow_empty=allow_empty)
    frame = pa.table(columns, names=names).to_pandas()
    with path.open("rb") as stream:
        fingerprint = hashlib.file_digest(stream, "sha256").hexdigest()
    notices = (*form.notices, *header_notices(names))
    return Table(frame, origin, fingerprint, replace(form, notices=notices), notices)


def text_format(
    path: Path, *, encoding: str | None = None, delimiter: str | None = None, decimal: str | None = None
) -> TextFormat:
    """How a text file is written, as its first lines show where it isn't stated.

    Raises:
        DataError: If the file is no text.
        ConfigError: If encoding, delimiter or decimal can't be one.
    """
    delimiter = _checked(delimiter)
    if decimal not in (None, ".", ","):
        raise ConfigError("--decimal must be '.' or ','.", received=shown(decimal))
    open_file = _opener(path)
    with _whole(path):
        with open_file() as stream:
            _refuse_foreign(stream.read(4096), path)
        encoding, notices = detect_encoding(open_file, origin=str(path), stated=encoding)
        with open_file() as stream:
            text = io.TextIOWrapper(stream, encoding=encoding, newline=None)
            sample = list(itertools.islice(text, _SAMPLE_LINES))
    layout = detect_layout(sample, stated=delimiter)
    notices += layout.notices
    if decimal is None:
        decimal, found = detect_decimal(sample, layout)
        notices += found
    return TextFormat(encoding, layout.delimiter, decimal, layout.quote, notices)


@contextmanager
def text_rows(path: Path, form: TextFormat) -> Iterator[Iterator[list[str]]]:
    """The rows of a text file, the header first, each as its cells; see `checked_rows`.

    Raises:
        DataError: If a row has another length, or the file ends early; names the line.
    """
    with _whole(path), _opener(path)() as stream:
        text = io.TextIOWrapper(stream, encoding=form.encoding, newline=None)
        lines = itertools.chain(text, (END,))
        yield checked_rows(csv.reader(lines, delimiter=form.delimiter, quotechar=form.quote), str(path))


def _opener(path: Path) -> partial[BinaryIO]:
    return cast("partial[BinaryIO]", partial(gzip.open if path.suffix.lower() == ".gz" else open, path, "rb"))


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say of an archive that ends early what it is."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as damaged:
        raise DataError("The gzip archive must be whole.", received=f"{path}: {damaged}") from damaged


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


def header(rows: Iterator[list[str]], origin: str) -> list[str]:
    """The names of the columns, which the first row holds.

    Raises:
        DataError: If there is no row, or names are blank or stand twice.
    """
    names = next(rows, [])
    if not names:
        raise DataError("The file must hold a table.", received=f"{origin} holds only blank lines")
    check_names(names, origin=origin)
    return names


def blocks(rows: Iterator[list[str]], columns: int) -> Iterator[list[pa.Array]]:
    """The columns of some rows at a time, so many that few texts of Python are in memory; empty is null."""
    while block := list(itertools.islice(rows, max(1, _CHUNK_CELLS // columns))):
        yield [
            pa.array([cell or None for cell in cells], pa.large_string())
            for cells in zip(*block, strict=True)
        ]


def _columns(
    rows: Iterator[list[str]], *, origin: str, allow_empty: bool
) -> tuple[list[str], list[pa.Array]]:
    """Names and columns; empty cells are null. Memory: one chunk of Python texts beside the Arrow columns."""
    names = header(rows, origin)
    pieces: list[list[pa.Array]] = [[] for _ in names]
    for block in blocks(rows, len(names)):
        for column, cells in zip(pieces, block, strict=True):
            column.append(cells)
    if not pieces[0] and not allow_empty:
        raise DataError("The table needs rows.", received=f"{origin} has a header and no rows")
    columns = []
    for column in pieces:
        columns.append(pa.concat_arrays(column or [pa.array([], pa.large_string())]))
        column.clear()  # so that no more than one column is held twice
    return names, columns


def header_notices(names: list[str]) -> tuple[Notice, ...]:
    """A warning where the first line looks like a row rather than like names."""
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
