"""One door for every table: a path, whole or part after part, a frame, an array, or a mapping of columns."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from composable.core.errors import DataError
from composable.data.arrays_file import arrays_table, read_arrays_file
from composable.data.frames import array_frame, frame_fingerprint, mapping_frame, plain_frame
from composable.data.images.column import with_images
from composable.data.images.folder import is_image_folder, is_mask_folder, read_image_folder, read_mask_folder
from composable.data.kinds import source_of
from composable.data.names import check_names, nearest, shown
from composable.data.schema import TextFormat
from composable.data.series import is_ragged, series_of
from composable.data.table import Table
from composable.data.text_encoding import PARQUET
from composable.data.text_file import blocks, header, read_text_file, text_format, text_rows

Source = str | os.PathLike[str] | pd.DataFrame | np.ndarray | Mapping[str, Any]

_ROWS = 50_000  # of a part of a Parquet file
_PARQUET_NAMES = (".parquet", ".pq", ".parq")
_AXES = 3  # from which an array holds more than a table: rows, and two of what each row is


@dataclass(frozen=True)
class Layout:
    """The user's settings for reading a text file; None where they are to be detected.

    Decimal separators and orders of dates are in the schema, column by column.

    Attributes:
        encoding: How its characters are written.
        delimiter: What separates its cells.
    """

    encoding: str | None = None
    delimiter: str | None = None


LAYOUT = Layout()


def read_table(
    source: Source,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    allow_empty: bool = False,
) -> Table:
    """Read a table, detecting what isn't stated.

    Args:
        source: A path to CSV or TSV (also `.gz`) or Parquet, to a folder of images or an `.npz` file of
            them or of series; a frame, a 2-D array (columns x0, x1, ...), an array of images (rows, height,
            width, channels) or of series (rows, steps, channels), or columns by name, of which some may be
            such arrays, or images x and masks y. A column of paths to images, relative to the table's folder,
            is recognized.
        encoding: How a text file is encoded; None detects it, with a notice, here and below.
        delimiter: What separates its cells.
        decimal: Its decimal separator, "." or ",".
        allow_empty: Accept a text file that has a header and no rows (frames without rows always pass).

    Raises:
        DataError: If there is no such file or it can't be a table; names the line, the column and the remedy.
        ConfigError: If encoding, delimiter or decimal can't be one.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _held(source)
    path = Path(source).expanduser()
    if _is_folder(path):
        return read_mask_folder(path) if is_mask_folder(path) else read_image_folder(path)
    path = _existing_file(path)
    if path.suffix.lower() == ".npz":
        return read_arrays_file(path)
    if is_parquet(path):
        return with_images(read_parquet_file(path), path.parent)
    table = read_text_file(
        path, encoding=encoding, delimiter=delimiter, decimal=decimal, allow_empty=allow_empty
    )
    return with_images(table, path.parent)


def _held(source: object) -> Table:
    """What a Python program holds."""
    if isinstance(source, pd.DataFrame):
        table = _in_memory(plain_frame(source, origin="DataFrame"), "DataFrame")
        return with_images(table, Path(), beyond=True)
    if (
        isinstance(source, np.ndarray)
        and source.ndim >= _AXES
        and (found := source_of({"x": source}, "array"))
    ):
        return _with_arrays({found[0]: source}, "array")
    if isinstance(source, np.ndarray):
        return _in_memory(array_frame(source, origin="array"), "array")
    if isinstance(source, Mapping):
        return _with_arrays(source, "mapping")
    raise DataError(
        "A table must be a path, a pandas DataFrame, a NumPy array or a mapping of columns.",
        received=type(source).__name__,
        remedy="for a list of rows: pandas.DataFrame(rows)",
    )


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its name or, where that has no ending, by its first bytes."""
    with path.open("rb") as stream:
        starts_as_parquet = stream.read(len(PARQUET)) == PARQUET
    return path.suffix.lower() in _PARQUET_NAMES or (starts_as_parquet and path.suffix == "")


def _in_memory(frame: pd.DataFrame, origin: str) -> Table:
    return Table(frame, origin, frame_fingerprint(frame))


def _with_arrays(columns: Mapping[str, Any], origin: str) -> Table:
    """Columns by name, some of them arrays of more axes; images x and masks y; or the cells of one row."""
    columns = {name: series_of(v, f"{origin}, {name}") if is_ragged(v) else v for name, v in columns.items()}
    if columns and all(np.ndim(values) == 0 for values in columns.values()):
        columns = {name: [cell] for name, cell in columns.items()}
    if _has_masks(columns):
        named = {name: np.asarray(values) for name, values in columns.items()}
        each = [hashlib.sha256(array.tobytes()).hexdigest() for array in named.values()]
        return arrays_table(named, origin, "-".join(each))
    arrays = {name: np.asarray(v) for name, v in columns.items() if np.ndim(v) >= _AXES}
    found = {name: source_of({name: array}, origin) for name, array in arrays.items()}
    sources = {name: one[1] for name, one in found.items() if one is not None}
    named = {name: [f"{name}/{index}" for index in range(len(arrays[name]))] for name in sources}
    frame = mapping_frame({**columns, **named}, origin=origin)
    contents = [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays.values()]
    fingerprint = "-".join([frame_fingerprint(frame), *contents])
    return Table(frame, origin, fingerprint, sources=sources)


def _has_masks(columns: Mapping[str, Any]) -> bool:
    return any(
        f"x{name[1:]}" in columns and np.ndim(columns[name]) >= _AXES for name in columns if name[:1] == "y"
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir() and is_image_folder(path)
    except (OSError, ValueError):
        return False


def _existing_file(path: Path) -> Path:
    rule = "The data must be a file that can be read."
    text = str(path)
    if "://" in text or text.startswith(("http:/", "https:/", "s3:/")):
        raise DataError(rule, received=f"{shown(text)} is an address", remedy="download it first")
    try:
        if path.is_dir():
            raise DataError(
                rule, received=f"{text} is a directory without images", remedy="name the file in it"
            )
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


def read_parquet_file(path: Path) -> Table:
    """Read a Parquet file. See `composable.data.read.read_table`.

    Raises:
        DataError: If the file is damaged, or a column is nested or binary.
    """
    origin = str(path)
    try:
        with pq.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            check_names(names, origin=origin)
            table = file.read()
        kinds = [pa.large_string() if pa.types.is_string_view(kind) else kind for kind in table.schema.types]
        table = table.cast(pa.schema(list(zip(names, kinds, strict=True))))  # pandas knows no string views
        frame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError) as damaged:
        if isinstance(damaged, DataError):
            raise
        raise _not_whole(origin, damaged) from damaged
    with path.open("rb") as stream:
        fingerprint = hashlib.file_digest(stream, "sha256").hexdigest()
    return Table(plain_frame(frame, origin=origin), origin, fingerprint)


def table_parts(path: Path, layout: Layout = LAYOUT) -> Iterator[Table]:
    """The rows of a CSV or Parquet file, each as `read_table` gives it; the index counts them from 0.

    Args:
        path: The file.
        layout: How a text file is read, where what is detected is wrong.

    Raises:
        DataError: If the file can't be read; names the line of a text file.
    """
    form = None
    if not is_parquet(path):
        form = text_format(path, encoding=layout.encoding, delimiter=layout.delimiter)
    first, notices = 0, () if form is None else form.notices
    for frame in _parquet_parts(path) if form is None else _text_parts(path, form):
        rows = pd.RangeIndex(first, first + len(frame))
        yield Table(frame.set_axis(rows, axis="index"), str(path), "", form, notices)
        first += len(frame)


def _text_parts(path: Path, form: TextFormat) -> Iterator[pd.DataFrame]:
    with text_rows(path, form) as rows:
        names = header(rows, str(path))
        for columns in blocks(rows, len(names)):
            yield pa.table(columns, names=names).to_pandas()


def _parquet_parts(path: Path) -> Iterator[pd.DataFrame]:
    try:
        with pq.ParquetFile(path) as file:
            check_names(list(file.schema_arrow.names), origin=str(path))
            for batch in file.iter_batches(_ROWS):
                table = pa.Table.from_batches([batch])
                frame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
                yield plain_frame(frame, origin=str(path))
    except (pa.ArrowException, OSError) as damaged:
        raise _not_whole(str(path), damaged) from damaged


def _not_whole(origin: str, damaged: Exception) -> DataError:
    return DataError("The Parquet file must be whole.", received=f"{origin}: {str(damaged)[:200]}")
