"""Read a CSV or TSV file: one streaming pass, every cell as it was written, every fault with its line.

How its cells are separated and its numbers written is detected, with notices.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import itertools
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import pyarrow as pa

from composable.core.errors import ConfigError, DataError
from composable.data.names import check_names, shown
from composable.data.schema import Notice, TextFormat
from composable.data.table import Table
from composable.data.text_encoding import GZIP, detect_encoding, foreign_format

_SAMPLE_LINES = 200
_CHUNK_CELLS = 250_000
_NUMBER = re.compile(r"\s*[+-]?\d+(?:[.,]\d*)?\s*")
_DELIMITERS = (",", "\t", ";", "|")  # where two fit equally well, the earlier
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
_POINT_NUMBER = re.compile(r"\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\s*")
_GROUPED_NUMBER = re.compile(r"\s*[+-]?\d{1,3}[,.]\d{3}\s*")


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
    layout = _detect_layout(sample, stated=delimiter)
    notices += layout.notices
    if decimal is None:
        decimal, found = _detect_decimal(sample, layout)
        notices += found
    return TextFormat(encoding, layout.delimiter, decimal, layout.quote, notices)


@contextmanager
def text_rows(path: Path, form: TextFormat) -> Iterator[Iterator[list[str]]]:
    """The rows of a text file, the header first, each as its cells; see `_checked_rows`.

    Raises:
        DataError: If a row has another length, or the file ends early; names the line.
    """
    with _whole(path), _opener(path)() as stream:
        text = io.TextIOWrapper(stream, encoding=form.encoding, newline=None)
        lines = itertools.chain(text, (_END,))
        yield _checked_rows(csv.reader(lines, delimiter=form.delimiter, quotechar=form.quote), str(path))


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


@dataclass(frozen=True)
class _Layout:
    """How the cells of a line are separated."""

    delimiter: str
    quote: str
    notices: tuple[Notice, ...] = ()


def _detect_layout(lines: list[str], *, stated: str | None = None) -> _Layout:
    """The delimiter and quote under which most lines have as many cells as the header, and the most of them.

    Args:
        lines: The first lines of the file, line breaks included.
        stated: The user's delimiter, which stands.
    """
    quotes = ('"',) if any('"' in line for line in lines) else ('"', "'")
    options = [
        (*_consistency(_rows(lines, delimiter, quote)), quote == '"', -order, delimiter, quote)
        for order, delimiter in enumerate([stated] if stated else _DELIMITERS)
        for quote in quotes
    ]
    share, cells, _, _, delimiter, quote = max(options)
    if cells < 2:
        return _Layout(stated or ",", '"')
    alternatives = {o[4] for o in options if o[0] == share == 1.0 and o[1] > 1 and o[4] != delimiter}
    notices = []
    if alternatives:
        other = " or ".join(sorted(map(repr, alternatives)))
        notices.append(
            Notice(
                f"The delimiter could be {delimiter!r} or {other}; {delimiter!r} is taken ({cells} columns).",
                level="warning",
                remedy=f"--delimiter {min(alternatives)!r}",
            )
        )
    elif delimiter != "," and stated is None:
        notices.append(
            Notice(f"The delimiter is {delimiter!r}: it gives {cells} columns.", remedy="--delimiter")
        )
    if quote != '"':
        notices.append(Notice(f"Cells are quoted with {quote}."))
    return _Layout(delimiter, quote, tuple(notices))


def _rows(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    """The sample's rows up to the first that can't be read; blank lines are left out."""
    rows = []
    with contextlib.suppress(csv.Error):
        rows.extend(row for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row)
    return rows


def _consistency(rows: list[list[str]]) -> tuple[float, int]:
    """The share of rows with as many cells as the header, and that number of cells."""
    if not rows or len(rows[0]) < 2:
        return 0.0, len(rows[0]) if rows else 0
    widths = Counter(map(len, rows))
    return widths[len(rows[0])] / len(rows), len(rows[0])


def _detect_decimal(lines: list[str], layout: _Layout) -> tuple[str, tuple[Notice, ...]]:
    """The decimal separator of the first lines: a comma where most numbers have one not for thousands."""
    commas = points = 0
    first = ""
    for number, row in enumerate(_rows(lines, layout.delimiter, layout.quote)):
        for cell in row if number else ():
            if _GROUPED_NUMBER.fullmatch(cell):
                continue
            if _POINT_NUMBER.fullmatch(cell):
                points += 1
            elif _COMMA_NUMBER.fullmatch(cell):
                commas += 1
                first = first or f"row {number}: {shown(cell)}"
    if commas <= points:
        return ".", ()
    return ",", (Notice(f"The decimal mark is a comma (first in {first}).", remedy="--decimal ."),)


_END = "\0"  # a last line that no file holds: if it arrives within a cell, a quote was still open


class _CsvReader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...


def _checked_rows(reader: _CsvReader, origin: str) -> Iterator[list[str]]:
    """The rows, each with as many cells as the first; blank lines are left out.

    Args:
        reader: A `csv.reader` over the file's lines followed by `_END`.
        origin: The file, for errors.

    Raises:
        DataError: With the line of a row of another length, a quote left open, or a cell that is too long.
    """
    width, line = 0, 0
    try:
        for row in reader:
            if row == [_END] and reader.line_num == line + 1:
                return
            if row and row[-1].endswith(_END):
                raise _unclosed(origin, line + 1)
            if len(row) != width:
                if row and width:
                    raise _ragged(origin, line + 1, width, row)
                width = width or len(row)
            line = reader.line_num
            if row:
                yield row
    except csv.Error as wrong:
        raise DataError(
            f"A cell may have at most {csv.field_size_limit():,} characters.",
            received=f"{origin}, the row that starts at line {line + 1}: {wrong}",
            remedy="shorten the text; or, if no cell is that long, close the quote that opens in that row",
        ) from wrong


def _unclosed(origin: str, line: int) -> DataError:
    return DataError(
        "Every quote that opens must close.",
        received=f"{origin}: the row that starts at line {line} has a quote that never closes",
        remedy="close it, or double a quote that belongs to the text",
    )


def _ragged(origin: str, line: int, width: int, row: list[str]) -> DataError:
    remedy = "quote a text that holds the delimiter; if the delimiter itself is wrong: --delimiter"
    if len(row) == width + 1 and line <= 3:
        remedy = "name every column in the header, row numbers too; if the delimiter is wrong: --delimiter"
    return DataError(
        f"Every row must have as many cells as the header: {width}.",
        received=f"{origin}, line {line}: {len(row)} cells, the first {shown(row[0], 40)}",
        remedy=remedy,
    )
