"""Read a Parquet file: types are kept, nested columns refused by name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from composable.core.errors import DataError
from composable.data.frames import plain_frame
from composable.data.names import check_names
from composable.data.table import Table


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
        raise DataError(
            "The Parquet file must be whole.", received=f"{origin}: {str(damaged)[:200]}"
        ) from damaged
    with path.open("rb") as stream:
        fingerprint = hashlib.file_digest(stream, "sha256").hexdigest()
    return Table(plain_frame(frame, origin=origin), origin, fingerprint)
