"""What a file really is: a table as text, in the encoding in which all of it decodes, or something else."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from composable.core.errors import ConfigError, DataError
from composable.data.names import shown
from composable.data.schema import Notice

_HEAD = 1 << 16  # bytes that are looked at for zero bytes
_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 25  # bytes without a line break; a line is held in memory
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(
    open_file: Callable[[], BinaryIO], *, origin: str, stated: str | None = None
) -> tuple[str, tuple[Notice, ...]]:
    """The encoding in which the whole file decodes, as a Python codec name.

    In this order: what the user gave; a byte order mark; UTF-16 by its pattern of zero bytes; UTF-8;
    Windows-1252; Latin-1, in which every byte has a meaning. Nothing is held in memory but a chunk.

    Args:
        open_file: Opens the file's (unpacked) bytes from the start.
        origin: The file, for errors.
        stated: The user's encoding, which stands.

    Raises:
        DataError: If the file doesn't decode as stated or marked, or holds NUL characters or endless lines.
        ConfigError: If there is no encoding of the stated name.
    """
    with open_file() as stream:
        head = stream.read(_HEAD)
    marked = _marked(head)
    if stated is not None:
        encoding = _text_codec(stated)
        if encoding == "utf-8" and marked == "utf-8-sig":
            encoding = marked  # else the byte order mark would become part of the first name
        _require_decodable(open_file, encoding, origin)
        return encoding, ()
    if encoding := marked or _utf16_without_mark(head):
        _require_decodable(open_file, encoding, origin)
        why = "its byte order mark says so" if marked else "every second byte is zero"
        return encoding, (Notice(f"Read as {encoding.removesuffix('-sig')}: {why}.", remedy="--encoding"),)
    wrong = _first_undecodable(open_file, "utf-8", origin)
    if wrong is None:
        return "utf-8", ()
    encoding = "latin-1" if _first_undecodable(open_file, "cp1252", origin) else "cp1252"
    text = f"Read as {encoding}: not UTF-8, because of {wrong}."
    return encoding, (Notice(text, remedy="--encoding NAME if letters look wrong"),)


def _marked(head: bytes) -> str | None:
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)), None)


def _utf16_without_mark(head: bytes) -> str | None:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


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


@dataclass(frozen=True)
class _Undecodable:
    byte: int
    offset: int
    line: int

    def __str__(self) -> str:
        return f"byte 0x{self.byte:02x} at offset {self.offset}, line {self.line}"


def _require_decodable(open_file: Callable[[], BinaryIO], encoding: str, origin: str) -> None:
    if wrong := _first_undecodable(open_file, encoding, origin):
        raise DataError(
            f"The file must be text in {encoding}.",
            received=f"{origin}: {wrong}",
            remedy="name the encoding it was saved in: --encoding cp1252, latin-1, utf-16, ...",
        )


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
                raise _nul(origin, line, encoding)
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


def _nul(origin: str, line: int, encoding: str) -> DataError:
    return DataError(
        "A text table can't hold NUL characters.",
        received=f"{origin}: NUL at line {line}, read as {encoding}",
        remedy="the file is damaged or binary; if it is text in another encoding, name it: --encoding utf-16",
    )


GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"

_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (PARQUET, "a Parquet file", "rename it to .parquet"),
    (GZIP, "a gzip archive", "rename it to .csv.gz"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (b"ARROW1", "an Arrow (Feather) file", "save it as Parquet or CSV"),
    (b"\x89HDF", "an HDF5 file", "save the table as Parquet or CSV"),
    (b"SQLite format 3\x00", "an SQLite database", "save the table as CSV"),
    (b"\x89PNG", "a PNG image", "pass a table"),
    (b"\xff\xd8\xff", "a JPEG image", "pass a table"),
    (b"%PDF", "a PDF document", "save the table as CSV"),
    (b"BZh", "a bzip2 archive", "unpack it first: bunzip2"),
    (b"\xfd7zXZ\x00", "an xz archive", "unpack it first: unxz"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "unpack it first: unzstd"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"),
    (b"\x93NUMPY", "a NumPy array", "load it with numpy.load and pass the array from Python"),
    (
        b"\x80\x04\x95",
        "a Python pickle",
        "save the table as CSV or Parquet; pickles can run code and are never read",
    ),
    (
        b"\x80\x05\x95",
        "a Python pickle",
        "save the table as CSV or Parquet; pickles can run code and are never read",
    ),
)


def foreign_format(head: bytes) -> tuple[str, str] | None:
    """What these first bytes are if they aren't a text table, and what to do; None for text."""
    if head.startswith(b"PK\x03\x04"):
        if b"xl/" in head or b"[Content_Types].xml" in head:
            return "an Excel workbook", "save the sheet as CSV"
        return "a zip archive", "unpack it first"
    for start, name, remedy in _SIGNATURES:
        if head.startswith(start):
            return name, remedy
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)", "download the file itself rather than the page that shows it"
    if text.startswith((b'{"', b'[{"', b"{\n", b"{\r\n")):
        return (
            "JSON",
            "turn it into a table first, for example with pandas.json_normalize, and save it as CSV",
        )
    return None
