"""How cells are separated and numbers written in a text file, detected with notices; and its rows."""

from __future__ import annotations

import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from composable.core.errors import DataError
from composable.data.names import shown
from composable.data.schema import Notice

DELIMITERS = (",", "\t", ";", "|")  # where two fit equally well, the earlier
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
_POINT_NUMBER = re.compile(r"\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\s*")
_GROUPED_NUMBER = re.compile(r"\s*[+-]?\d{1,3}[,.]\d{3}\s*")


@dataclass(frozen=True)
class Layout:
    """How the cells of a line are separated."""

    delimiter: str
    quote: str
    notices: tuple[Notice, ...] = ()


def detect_layout(lines: list[str], *, stated: str | None = None) -> Layout:
    """The delimiter and quote under which most lines have as many cells as the header, and the most of them.

    Args:
        lines: The first lines of the file, line breaks included.
        stated: The user's delimiter, which stands.
    """
    quotes = ('"',) if any('"' in line for line in lines) else ('"', "'")
    options = [
        (*_consistency(_rows(lines, delimiter, quote)), quote == '"', -order, delimiter, quote)
        for order, delimiter in enumerate([stated] if stated else DELIMITERS)
        for quote in quotes
    ]
    share, cells, _, _, delimiter, quote = max(options)
    if cells < 2:
        return Layout(stated or ",", '"')
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
    return Layout(delimiter, quote, tuple(notices))


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


def detect_decimal(lines: list[str], layout: Layout) -> tuple[str, tuple[Notice, ...]]:
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


END = "\0"  # a last line that no file holds: if it arrives within a cell, a quote was still open


class CsvReader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int: ...  # noqa: D102

    def __iter__(self) -> Iterator[list[str]]: ...


def checked_rows(reader: CsvReader, origin: str) -> Iterator[list[str]]:
    """The rows, each with as many cells as the first; blank lines are left out.

    Args:
        reader: A `csv.reader` over the file's lines followed by `END`.
        origin: The file, for errors.

    Raises:
        DataError: With the line of a row of another length, a quote left open, or a cell that is too long.
    """
    width, line = 0, 0
    try:
        for row in reader:
            if row == [END] and reader.line_num == line + 1:
                return
            if row and row[-1].endswith(END):
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
