"""From what Python programs hold (pandas, NumPy, mappings of arrays) to a frame of plain columns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
from pandas.util import hash_pandas_object

from composable.core.errors import DataError
from composable.data.names import check_names, listed, shown
from composable.data.plain_column import plain_column


def plain_frame(frame: pd.DataFrame, *, origin: str) -> pd.DataFrame:
    """A copy with unique text names, a 0..n-1 index and columns of plain types; the input stays as it is.

    Plain types are booleans, integers, floats (nullable ones included), `datetime64`, categories and `str`.
    Objects of one kind become that kind; mixed objects become text.

    Raises:
        DataError: For several header levels, equal or blank names, or cells that hold more than one value.
    """
    if isinstance(frame.columns, pd.MultiIndex):
        raise DataError(
            "Column names must have one level.",
            received=f"{origin}: {frame.columns.nlevels} levels",
            remedy='join them: frame.columns = ["_".join(map(str, names)) for names in frame.columns]',
        )
    names = [str(name) for name in frame.columns]
    if not names:
        raise DataError("The table needs columns.", received=f"{origin} has none")
    check_names(names, origin=origin)
    columns = {name: plain_column(frame.iloc[:, i], name, origin=origin) for i, name in enumerate(names)}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def array_frame(array: np.ndarray, *, origin: str) -> pd.DataFrame:
    """The columns of a 2-D array, named x0, x1, ...

    Raises:
        DataError: If the array isn't two-dimensional, has named fields, or holds what isn't a plain value.
    """
    if array.dtype.names is not None:
        raise DataError(
            "A structured array must become a frame first.",
            received=f"fields {listed(array.dtype.names)}",
            remedy="pass pandas.DataFrame(array)",
        )
    if array.ndim != 2:
        raise DataError(
            "An array must have two dimensions: rows and columns.",
            received=f"shape {array.shape}",
            remedy="for one column: array.reshape(-1, 1); to flatten each row: array.reshape(len(array), -1)",
        )
    names = [f"x{i}" for i in range(array.shape[1])]
    return plain_frame(pd.DataFrame(array, columns=pd.Index(names, dtype="str")), origin=origin)


def mapping_frame(mapping: Mapping[str, Any], *, origin: str) -> pd.DataFrame:
    """One column per entry: sequences of equal length, or arrays of shape (n,) or (n, 1).

    Raises:
        DataError: If lengths differ or an entry has more than one column.
    """
    columns: dict[str, Any] = {}
    for name, values in mapping.items():
        column: Any = values.array if isinstance(values, pd.Series) else values
        if isinstance(column, np.ndarray) and column.ndim == 2 and column.shape[1] == 1:
            column = column[:, 0]
        if np.ndim(column) != 1:
            raise DataError(
                "Each entry must be one column.", received=f"{shown(name)} has shape {np.shape(values)}"
            )
        columns[str(name)] = column
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        raise DataError(
            "Every column must have the same length.",
            received=f"{shown(short)} has {lengths[short]}, {shown(long)} has {lengths[long]}",
        )
    return plain_frame(pd.DataFrame(columns), origin=origin)


def column_of(frame: pd.DataFrame, name: str) -> pd.Series:
    """The column called `name` of a frame whose names are unique, so that it is one."""
    return cast("pd.Series", frame[name])


def cell_hashes(values: pd.Series) -> np.ndarray:
    """A 64-bit hash of each cell; equal cells of columns of one type have equal hashes."""
    plain = values.astype("str") if isinstance(values.dtype, pd.CategoricalDtype) else values
    hashed = hash_pandas_object(plain, index=False)  # type: ignore[operator] (pandas.util imports late)
    return hashed.to_numpy()


def frame_fingerprint(frame: pd.DataFrame) -> str:
    """sha256 over names, types and values of a plain frame."""
    digest = hashlib.sha256()
    for name in frame.columns:
        column = column_of(frame, name)
        digest.update(f"{name}\0{column.dtype}\0{len(column)}\0".encode("utf-8", "surrogatepass"))
        digest.update(cell_hashes(column).tobytes())
    return digest.hexdigest()
