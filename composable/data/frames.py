"""From what Python programs hold (pandas, NumPy, mappings of arrays) to a frame of plain columns.

And room for what becomes of it: in memory, or in a file where it would fill that.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import math
import tempfile
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.util import hash_pandas_object

from composable.core.errors import DataError
from composable.core.machine import memory_gb
from composable.data.names import check_names, listed, shown


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


_PLAIN_OF_ARROW = {
    ("string", "large_string", "time"): "str",
    ("boolean",): "boolean",
    ("integer",): "Int64",
    ("floating", "decimal", "null"): "float64",
    ("date",): "datetime64[us]",
    ("duration",): "timedelta64[us]",
}
_OPAQUE = (list, tuple, dict, set, bytes, bytearray, np.ndarray, complex)


def plain_column(column: pd.Series, name: str, *, origin: str) -> pd.Series:
    """A copy of the column as booleans, integers, floats, `datetime64`, categories or `str`, under 0..n-1.

    Objects of one kind become that kind; mixed objects become text.

    Raises:
        DataError: If cells hold more than one value or complex numbers; names the column and the row.
    """
    where = f"{origin}, column {shown(name)}"
    column = column.reset_index(drop=True)
    if isinstance(column.dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    if isinstance(column.dtype, pd.ArrowDtype):
        column = _without_arrow(column, where)
    if pd.api.types.is_object_dtype(column.dtype):
        return _from_objects(column, where)
    if pd.api.types.is_complex_dtype(column.dtype):
        remedy = "split them into a real and an imaginary column"
        raise DataError("Numbers must be real.", received=where, remedy=remedy)
    return _simpler(column)


def _simpler(column: pd.Series) -> pd.Series:
    """Half floats as floats, time spans as days, periods as their start, intervals as text; others stay."""
    kind = column.dtype
    if kind == np.float16:
        return column.astype("float64")
    if pd.api.types.is_timedelta64_dtype(kind):
        return column / pd.Timedelta(days=1)
    if isinstance(kind, pd.PeriodDtype):
        return column.dt.to_timestamp()
    if isinstance(kind, (pd.IntervalDtype, pd.StringDtype)):
        return column.astype("str")
    return column.copy()


def _without_arrow(column: pd.Series, where: str) -> pd.Series:
    """An Arrow-backed column as the plain type that stands for it; nested and binary ones are refused."""
    arrow = cast("pd.ArrowDtype", column.dtype).pyarrow_dtype
    is_dictionary = pa.types.is_dictionary(arrow)
    plain = _plain_of_arrow(arrow.value_type if is_dictionary else arrow, where)
    try:
        return column.astype(plain).astype("category") if is_dictionary else column.astype(plain)
    except (pa.ArrowException, ValueError, OverflowError) as unfit:
        raise DataError(
            f"Cells of the type {arrow} must fit {plain}.", received=f"{where}: {unfit}"
        ) from unfit


def _plain_of_arrow(arrow: pa.DataType, where: str) -> str:
    for names, plain in _PLAIN_OF_ARROW.items():
        if any(getattr(pa.types, f"is_{name}")(arrow) for name in names):
            return plain
    if pa.types.is_timestamp(arrow):
        return "datetime64[us]" if arrow.tz is None else f"datetime64[us, {arrow.tz}]"
    raise _opaque(str(arrow), where)


def _from_objects(column: pd.Series, where: str) -> pd.Series:
    """Python objects as the one kind they share, else as text; missing values stay missing."""
    for row, value in enumerate(column):
        if isinstance(value, _OPAQUE):
            raise _opaque(f"{type(value).__name__} {shown(value, 40)}", f"{where}, row {row + 1}")
    shared = pd.api.types.infer_dtype(column, skipna=True)
    if shared in ("integer", "floating", "mixed-integer-float", "decimal"):
        return _from_numbers(column)
    if shared == "boolean":
        return column.astype("boolean")
    if shared in ("datetime", "datetime64", "date"):
        zoned = any(getattr(value, "tzinfo", None) for value in column)
        return pd.to_datetime(column, utc=zoned, errors="coerce")
    if shared == "empty":
        return column.astype("float64")
    return _to_text(column)


def _from_numbers(column: pd.Series) -> pd.Series:
    missing = column.isna()
    if pd.api.types.infer_dtype(column, skipna=True) == "integer":
        try:
            return column.astype("Int64" if missing.any() else "int64")
        except OverflowError:  # more than 64 bits: names rather than quantities
            return _to_text(column)
    return column.mask(missing, np.nan).astype("float64")


def _to_text(column: pd.Series) -> pd.Series:
    texts = [None if _is_missing(value) else _text(value) for value in column]
    return pd.Series(texts, dtype="str")


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _text(value: object) -> str:
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, (float, decimal.Decimal)) and math.isfinite(value) and value == value.__trunc__():
        return str(int(value))
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _opaque(kind: str, where: str) -> DataError:
    return DataError(
        "A cell must hold one plain value: a number, text, a truth value or a date.",
        received=f"{where}: {kind}",
        remedy="spread nested values over columns of their own, those of a series over t000, t001 and so on, "
        "empty after its end; or drop the column",
    )


SHARE = 0.25  # of the machine's memory


def room(shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray:
    """An array to be filled; where it is large, an `np.memmap` of a file that vanishes with it.

    The file lies where `tempfile` puts its own: TMPDIR sets where.
    """
    memory = memory_gb()
    if memory is None or math.prod(shape) * np.dtype(dtype).itemsize <= SHARE * memory * 1e9:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)
