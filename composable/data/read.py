"""One door for every table: a path, a pandas frame, a NumPy array, or a mapping of columns."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.frames import array_frame, frame_fingerprint, mapping_frame, plain_frame
from composable.data.names import nearest, shown
from composable.data.parquet_file import read_parquet_file
from composable.data.signature import PARQUET
from composable.data.table import Table
from composable.data.text_file import read_text_file

Source = str | os.PathLike[str] | pd.DataFrame | np.ndarray | Mapping[str, Any]

_PARQUET_NAMES = (".parquet", ".pq", ".parq")


def read_table(
    source: Source,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    allow_empty: bool = False,
) -> Table:
    """Read a table, detecting what isn't given.

    Args:
        source: A path to CSV or TSV (also `.gz`) or Parquet, a frame, a 2-D array (columns x0, x1, ...), or
            columns by name.
        encoding: How a text file is encoded; None detects it and says so, here and below.
        delimiter: What separates its cells.
        decimal: Its decimal mark, "." or ",".
        allow_empty: Accept a text file that has a header and no rows (frames without rows always pass).

    Raises:
        DataError: If there is no such file or it can't be a table; names the line, the column and the remedy.
        ConfigError: If encoding, delimiter or decimal can't be one.
    """
    if isinstance(source, pd.DataFrame):
        return _in_memory(plain_frame(source, origin="DataFrame"), "DataFrame")
    if isinstance(source, np.ndarray):
        return _in_memory(array_frame(source, origin="array"), "array")
    if isinstance(source, Mapping):
        return _in_memory(mapping_frame(source, origin="mapping"), "mapping")
    if not isinstance(source, (str, os.PathLike)):
        raise DataError(
            "A table must be a path, a pandas DataFrame, a NumPy array or a mapping of columns.",
            received=type(source).__name__,
            remedy="for a list of rows: pandas.DataFrame(rows)",
        )
    path = _existing_file(Path(source).expanduser())
    with path.open("rb") as stream:
        starts_as_parquet = stream.read(len(PARQUET)) == PARQUET
    if path.suffix.lower() in _PARQUET_NAMES:
        return read_parquet_file(path)
    if starts_as_parquet and path.suffix == "":
        return read_parquet_file(path)
    return read_text_file(
        path, encoding=encoding, delimiter=delimiter, decimal=decimal, allow_empty=allow_empty
    )


def _in_memory(frame: pd.DataFrame, origin: str) -> Table:
    return Table(frame, origin, frame_fingerprint(frame))


def _existing_file(path: Path) -> Path:
    rule = "The data must be a file that can be read."
    text = str(path)
    if "://" in text or text.startswith(("http:/", "https:/", "s3:/")):
        raise DataError(rule, received=f"{shown(text)} is an address", remedy="download it first")
    try:
        if path.is_dir():
            raise DataError(rule, received=f"{text} is a directory", remedy="name the file in it")
        if not path.exists():
            raise DataError(rule, received=f"{text} does not exist", remedy=_similar_file(path))
        if not path.is_file():
            raise DataError(
                rule, received=f"{text} is not a regular file", remedy="save the data to a file first"
            )
        path.open("rb").close()
    except (OSError, ValueError) as refused:
        if isinstance(refused, DataError):
            raise
        raise DataError(rule, received=f"{shown(text, 200)}: {refused}") from refused
    return path


def _similar_file(path: Path) -> str:
    try:
        siblings = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"check the path; there is no directory {path.parent}"
    near = nearest(path.name, siblings)
    return f"did you mean {' or '.join(map(shown, near))}?" if near else "check the path"
