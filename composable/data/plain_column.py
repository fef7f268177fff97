"""One column of any type pandas knows, as one of the few types the rest of the package handles."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa

from composable.core.errors import DataError
from composable.data.names import shown

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
        remedy="spread nested values over columns of their own, or drop the column",
    )
