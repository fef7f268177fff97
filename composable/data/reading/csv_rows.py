"""The rows of a CSV file, each checked as it passes: its length, its quotes, its cells' size."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Protocol

from composable.core.errors import DataError
from composable.data.names import shown

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
