"""What a column is that already has a type: from Parquet, pandas or NumPy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from composable.data.recognize.column import (
    Finding,
    RawColumn,
    infinite_cells,
    or_missing,
    row_number_reason,
    span,
)
from composable.data.schema import Column, Notice


def typed_nothing(column: RawColumn) -> Finding | None:
    """A typed column that holds no value, or one; None for others."""
    if column.is_text or isinstance(column.values.dtype, pd.CategoricalDtype):
        return None
    present, notices = _finite(column)
    if present.empty:
        return Finding(Column(column.name, "empty", "drop", "no values"), notices)
    if present.nunique() == 1 and not column.is_target:
        reason = f"always {present.iloc[0]}{or_missing(column.values, len(present))}"
        return Finding(Column(column.name, "constant", "drop", reason), notices)
    return None


def typed_number(column: RawColumn) -> Finding | None:
    """A column of numbers, or of row numbers; None for other types."""
    kind = column.values.dtype
    if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        return None
    present, notices = _finite(column)
    numbers = present.to_numpy(dtype="float64")
    may_count = pd.api.types.is_integer_dtype(kind) and not column.is_target
    if may_count and (why := row_number_reason(column.name, numbers)):
        return Finding(Column(column.name, "identifier", "drop", why), notices)
    return Finding(Column(column.name, "number", "feature", span(numbers)), notices)


def typed_date(column: RawColumn) -> Finding | None:
    """A column of dates, which as a target are categories; None for other types."""
    if not pd.api.types.is_datetime64_any_dtype(column.values.dtype):
        return None
    present = column.values.dropna()
    if column.is_target:
        return Finding(Column(column.name, "category", "feature", f"{present.nunique()} different dates"))
    reason = f"dates from {present.min():%Y-%m-%d} to {present.max():%Y-%m-%d}"
    return Finding(Column(column.name, "date", "feature", reason, date_format="ISO8601"))


def _finite(column: RawColumn) -> tuple[pd.Series, tuple[Notice, ...]]:
    present = column.values.dropna()
    if not pd.api.types.is_float_dtype(present.dtype):
        return present, ()
    infinite = np.isinf(present.to_numpy(dtype="float64"))
    if not infinite.any():
        return present, ()
    first = int(np.asarray(present.index)[infinite][0])
    return present.loc[~infinite], (infinite_cells(column.name, int(infinite.sum()), first),)
