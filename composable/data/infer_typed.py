"""What a column is that already has a type: from Parquet, pandas or NumPy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from composable.data.distinct import distinct_texts
from composable.data.finding import Finding, infinite_cells, or_missing, span
from composable.data.identifiers import row_number_reason
from composable.data.infer_words import word_column
from composable.data.parse import parse_texts
from composable.data.schema import Column, Notice


def typed_column(values: pd.Series, name: str, *, is_target: bool) -> Finding:
    """The kind of a boolean, number, date or category column, with the reason."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        every = distinct_texts(parse_texts(values, Column(name, "category")))
        return word_column(name, values, every, is_target=is_target)
    present, notices = _finite(values.dropna(), name)
    if present.empty:
        return Finding(Column(name, "empty", "drop", "no values"), notices)
    if present.nunique() == 1 and not is_target:
        reason = f"always {present.iloc[0]}{or_missing(values, len(present))}"
        return Finding(Column(name, "constant", "drop", reason), notices)
    if pd.api.types.is_bool_dtype(values.dtype):
        return Finding(Column(name, "boolean", "feature", "true or false"), notices)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _date_column(present, name, is_target=is_target)
    numbers = present.to_numpy(dtype="float64")
    may_count = pd.api.types.is_integer_dtype(values.dtype) and not is_target
    if may_count and (why := row_number_reason(name, numbers)):
        return Finding(Column(name, "identifier", "drop", why), notices)
    return Finding(Column(name, "number", "feature", span(numbers)), notices)


def _finite(present: pd.Series, name: str) -> tuple[pd.Series, tuple[Notice, ...]]:
    if not pd.api.types.is_float_dtype(present.dtype):
        return present, ()
    infinite = np.isinf(present.to_numpy(dtype="float64"))
    if not infinite.any():
        return present, ()
    said = infinite_cells(name, int(infinite.sum()), int(np.asarray(present.index)[infinite][0]))
    return present.loc[~infinite], (said,)


def _date_column(present: pd.Series, name: str, *, is_target: bool) -> Finding:
    if is_target:
        return Finding(Column(name, "category", "feature", f"{present.nunique()} different dates"))
    reason = f"dates from {present.min():%Y-%m-%d} to {present.max():%Y-%m-%d}"
    return Finding(Column(name, "date", "feature", reason, date_format="ISO8601"))
