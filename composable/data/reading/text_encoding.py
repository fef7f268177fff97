"""Which encoding a text file is in: the one in which all of it decodes."""

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
