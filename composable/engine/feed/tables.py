"""From the rows of a table file to what a network takes: the caller's encoding, applied piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from composable.core.errors import DataError
from composable.data.frames import plain_frame
from composable.engine.feed.chunk import Chunk, chunk_of
from composable.engine.rows import Rows

# From raw rows, as `composable.data.read.read_table` gives them, to what a network learns, row by row.
Encode = Callable[[pd.DataFrame], Rows]


def encoded_chunk(
    pieces: list[pa.Table], order: np.ndarray, encode: Encode, *, number: int, origin: str
) -> Chunk:
    """The pieces one after another, encoded, in another order.

    Args:
        pieces: Parts of one table.
        order: Row i of the chunk is row `order[i]` of the pieces.
        encode: The caller's.
        number: Of the chunk.
        origin: The file, for errors.

    Raises:
        DataError: If the encoding gives other than one row per row.
    """
    encoded = encode(raw_frame(pieces, origin))
    chunk = chunk_of(encoded, number, origin=origin)
    if len(chunk) != len(order):
        raise DataError(
            "Encoding must give one row per row.",
            received=f"{origin}: {len(order)} rows became {len(chunk)}",
        )
    mixed = encoded.take(order)  # the encoded arrays are smaller than the raw ones
    return Chunk(mixed.inputs, mixed.targets, mixed.weights, number)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The same columns in types that can be taken, copied and concatenated in pieces.

    Dictionary columns, whose dictionary changes from piece to piece, become their values.
    """
    return pa.schema([(field.name, _plain_type(field.type)) for field in schema])


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.DictionaryType):
        return _plain_type(kind.value_type)
    return pa.large_string() if pa.types.is_string_view(kind) else kind


def raw_frame(pieces: list[pa.Table], origin: str) -> pd.DataFrame:
    """The pieces of one table one after another, as `composable.data.read.read_table` gives its rows."""
    # In one piece: NumPy's copies of several may be read-only.
    frame = (
        pa.concat_tables(pieces).combine_chunks().to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
    )
    return plain_frame(frame, origin=origin)
