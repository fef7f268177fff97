"""What a file really is, from its first bytes, whatever its suffix."""

from __future__ import annotations

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
