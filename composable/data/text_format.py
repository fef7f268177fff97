"""How a text file is written: its encoding, delimiter, quote and decimal mark, each detected and said."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from composable.core.errors import ConfigError, DataError
from composable.data.names import shown
from composable.data.schema import Notice

DELIMITERS = (",", "\t", ";", "|")  # where two fit equally well, the earlier
_SAMPLE = 1 << 16  # bytes that delimiter and decimal mark are judged by
_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 25  # bytes without a line break; a line is held in memory
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
_POINT_NUMBER = re.compile(r"\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\s*")
_GROUPED_NUMBER = re.compile(r"\s*[+-]?\d{1,3}[,.]\d{3}\s*")


@dataclass(frozen=True)
class Layout:
    """How the cells of a line are told apart."""

    delimiter: str
    quote: str
    notices: tuple[Notice, ...] = ()


def detect_encoding(
    open_file: Callable[[], BinaryIO], *, origin: str, given: str | None = None
) -> tuple[str, tuple[Notice, ...]]:
    """The encoding in which the whole file decodes, as a Python codec name.

    The order: what the person gave; a byte order mark; UTF-16 by its pattern of zero bytes; UTF-8; Windows-1252;
    Latin-1, in which every byte has a meaning.

    Raises:
        DataError: If the file doesn't decode in the given encoding, or holds NUL characters or endless lines.
        ConfigError: If there is no such encoding.
    """
    with open_file() as stream:
        head = stream.read(_SAMPLE)
    if given is not None:
        wrong = _first_undecodable(open_file, _text_codec(given), origin)
        if wrong is not None:
            raise _undecodable(origin, given, wrong)
        return given, ()
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            wrong = _first_undecodable(open_file, encoding, origin)
            if wrong is not None:
                raise _undecodable(origin, encoding, wrong)
            said = Notice(
                f"Read as {encoding.removesuffix('-sig').upper()}, as its byte order mark says.",
                remedy="--encoding",
            )
            return encoding, (said,)
    if encoding := _utf16_without_mark(head):
        if _first_undecodable(open_file, encoding, origin) is None:
            said = Notice(f"Read as {encoding.upper()}: every second byte is zero.", remedy="--encoding")
            return encoding, (said,)
    wrong = _first_undecodable(open_file, "utf-8", origin)
    if wrong is None:
        return "utf-8", ()
    encoding = "cp1252" if _first_undecodable(open_file, "cp1252", origin) is None else "latin-1"
    if encoding == "latin-1":
        _first_undecodable(open_file, encoding, origin)
    said = Notice(
        f"Read as {encoding}: not UTF-8, because of byte 0x{wrong.byte:02x} at offset {wrong.offset}, line {wrong.line}.",
        remedy="--encoding NAME if letters look wrong",
    )
    return encoding, (said,)


@dataclass(frozen=True)
class _Undecodable:
    byte: int
    offset: int
    line: int


def _undecodable(origin: str, encoding: str, wrong: _Undecodable) -> DataError:
    return DataError(
        f"The file must be text in {encoding}.",
        received=f"{origin}: byte 0x{wrong.byte:02x} at offset {wrong.offset}, line {wrong.line}",
        remedy="name the encoding it was saved in: --encoding cp1252, latin-1, utf-16, ...",
    )


def _text_codec(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        "".encode(name)
    except (LookupError, UnicodeError, ValueError) as unknown:
        raise ConfigError(
            "--encoding must name a text encoding.",
            received=shown(name),
            remedy="for example utf-8, cp1252, latin-1, utf-16, shift_jis",
        ) from unknown
    return codec.name


def _first_undecodable(open_file: Callable[[], BinaryIO], encoding: str, origin: str) -> _Undecodable | None:
    """Stream through the whole file; the first byte that isn't in the encoding, or None."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, line, unbroken = 0, 1, 0
    with open_file() as stream:
        while True:
            chunk = stream.read(_CHUNK)
            pending = decoder.getstate()[0]
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as wrong:
                line += wrong.object[: wrong.start].count(b"\n")
                return _Undecodable(wrong.object[wrong.start], offset - len(pending) + wrong.start, line)
            if "\0" in text:
                line += text[: text.index("\0")].count("\n")
                raise DataError(
                    "A text table can't hold NUL characters.",
                    received=f"{origin}: NUL at line {line}, in the text read as {encoding}",
                    remedy="the file is damaged or binary; if it is text in another encoding, name it: --encoding utf-16",
                )
            if not chunk:
                return None
            lines = text.count("\n")
            unbroken = 0 if lines or "\r" in text else unbroken + len(chunk)
            if unbroken > _LONGEST_LINE:
                raise DataError(
                    f"A line may have at most {_LONGEST_LINE:,} bytes.",
                    received=f"{origin}: line {line} is longer",
                    remedy="check that this is a table with one row per line",
                )
            line += lines
            offset += len(chunk)


def _utf16_without_mark(head: bytes) -> str | None:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def detect_layout(lines: list[str], *, given: str | None = None) -> Layout:
    """The delimiter and quote under which most lines have as many cells as the header, and the most of them.

    Args:
        lines: The first lines of the file, line breaks included.
        given: The person's delimiter, which stands.
    """
    options = [
        (*_consistency(lines, delimiter, quote), quote == '"', -order, delimiter, quote)
        for order, delimiter in enumerate([given] if given else DELIMITERS)
        for quote in ('"', "'")
    ]
    share, cells, _, _, delimiter, quote = max(options)
    if cells < 2:
        return Layout(given or ",", '"')
    rivals = {o[4] for o in options if o[0] == share == 1.0 and o[1] > 1 and o[4] != delimiter}
    notices = []
    if rivals:
        other = " or ".join(sorted(map(repr, rivals)))
        notices.append(
            Notice(
                f"The delimiter could be {delimiter!r} or {other}; {delimiter!r} gives the most columns ({cells}).",
                level="warning",
                remedy=f"--delimiter {min(rivals)!r}",
            )
        )
    elif delimiter != "," and given is None:
        notices.append(
            Notice(f"The delimiter is {delimiter!r}: it gives {cells} columns.", remedy="--delimiter")
        )
    if quote != '"':
        notices.append(Notice(f"Cells are quoted with {quote}."))
    return Layout(delimiter, quote, tuple(notices))


def _consistency(lines: list[str], delimiter: str, quote: str) -> tuple[float, int]:
    """The share of rows with as many cells as the header, and that number of cells."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row]
    except csv.Error:
        return 0.0, 0
    if not rows or len(rows[0]) < 2:
        return 0.0, len(rows[0]) if rows else 0
    widths = Counter(map(len, rows))
    return widths[len(rows[0])] / len(rows), len(rows[0])


def detect_decimal(rows: Iterator[list[str]] | list[list[str]]) -> tuple[str, tuple[Notice, ...]]:
    """The decimal mark of the sampled cells: a comma only where commas alone make numbers that no grouping explains."""
    commas = points = 0
    first = ""
    for number, row in enumerate(rows, 1):
        for cell in row:
            if _GROUPED_NUMBER.fullmatch(cell):
                continue
            if _POINT_NUMBER.fullmatch(cell):
                points += 1
            elif _COMMA_NUMBER.fullmatch(cell):
                commas += 1
                first = first or f"row {number}: {shown(cell)}"
    if commas <= points:
        return ".", ()
    return ",", (Notice(f"The decimal mark is a comma (first at {first}).", remedy="--decimal ."),)
