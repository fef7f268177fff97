"""A table file part after part, so that few of its rows are in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from composable.core.errors import DataError
from composable.data.frames import plain_frame
from composable.data.names import check_names
from composable.data.read import LAYOUT, Layout, is_parquet
from composable.data.reading.text_file import blocks, header, text_format, text_rows
from composable.data.schema import TextFormat
from composable.data.table import Table

_ROWS = 50_000  # of a part of a Parquet file


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
        raise DataError(
            "The Parquet file must be whole.", received=f"{path}: {str(damaged)[:200]}"
        ) from damaged
