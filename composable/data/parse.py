"""Raw cells to typed values, the same way at training and at prediction."""

from __future__ import annotations

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.names import shown
from composable.data.notation import COMPACT, ISO, Writing, days_from, days_of, numbers_from
from composable.data.schema import MISSING_MARKERS, Column


def parse_numbers(values: pd.Series, column: Column, *, origin: str, strict: bool) -> np.ndarray:
    """The raw cells of one column as numbers.

    Args:
        values: As in `Table.frame`: text, or any plain type.
        column: How numbers are written.
        origin: The file, for errors.
        strict: Whether a cell that can't be read is an error (prediction) or a missing value (training).

    Returns:
        Float64, NaN where a value is missing or infinite.

    Raises:
        DataError: If `strict` and a cell can't be read; names the column, the row (from 1) and the value.
    """
    writing = Writing(column.decimal, column.thousands, column.affixes)
    if pd.api.types.is_numeric_dtype(values.dtype):  # booleans count as numeric
        numbers = values.to_numpy(dtype="float64", na_value=np.nan).copy()
    else:
        texts = _as_text(values)
        numbers = numbers_from(texts, writing)
        if strict:
            _refuse_unread(texts, numbers, column, "a number", origin)
    numbers[np.isinf(numbers)] = np.nan
    if column.missing:  # some may be numbers, for example -999
        sentinels = numbers_from(pd.Series(column.missing, dtype="str"), writing)
        numbers[np.isin(numbers, sentinels[~np.isnan(sentinels)])] = np.nan
    return numbers


def parse_dates(values: pd.Series, column: Column, *, origin: str, strict: bool) -> np.ndarray:
    """The cells as float64 days since `DATE_ORIGIN`, NaN where there is none; see `parse_numbers`."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return days_of(values)
    if column.date_format == COMPACT and pd.api.types.is_float_dtype(values.dtype):
        values = values.astype("Int64")
    texts = _as_text(values)
    days = days_from(texts, column.date_format or ISO)
    if column.missing:
        days = np.where(texts.isin([marker.strip() for marker in column.missing]), np.nan, days)
    if strict:
        _refuse_unread(texts, days, column, f"a date in the format {column.date_format or ISO}", origin)
    return days


def parse_texts(values: pd.Series, column: Column) -> pd.Series:
    """The cells as `str` without outer blanks, NA where there is none."""
    return _without_missing(_as_text(values), ("", "?", *column.missing))


def parse_categories(values: pd.Series, column: Column) -> pd.Series:
    """The cells as texts of which equal ones are equal categories: whole numbers without ".0"."""
    return parse_texts(values, column).str.replace(r"^([+-]?\d+)\.0+$", r"\1", regex=True)


def raw_texts(values: pd.Series) -> pd.Series:
    """The cells as text, as they are written; of other types as `parse_texts` sees them."""
    return values.astype("str") if isinstance(values.dtype, pd.StringDtype) else _as_text(values)


def _as_text(values: pd.Series) -> pd.Series:
    """Any plain column as `str` without outer blanks; whole floats without ".0"."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        names = _as_text(pd.Series(values.cat.categories))
        return pd.Series(
            names.array.take(values.cat.codes.to_numpy(), allow_fill=True), dtype="str", index=values.index
        )
    if pd.api.types.is_float_dtype(values.dtype):
        codes, different = pd.factorize(values.to_numpy(dtype="float64", na_value=np.nan))
        names = [str(int(v)) if v.is_integer() and abs(v) < 1e16 else repr(v) for v in different.tolist()]
        return pd.Series(pd.array(names, dtype="str").take(codes, allow_fill=True), index=values.index)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        texts = [None if stamp is pd.NaT else stamp.isoformat() for stamp in values]
        return pd.Series(texts, dtype="str", index=values.index)
    return values.astype("str").str.strip()


def _without_missing(texts: pd.Series, markers: tuple[str, ...]) -> pd.Series:
    return texts.where(~texts.isin([marker.strip() for marker in markers]))


def _refuse_unread(texts: pd.Series, parsed: np.ndarray, column: Column, wanted: str, origin: str) -> None:
    if not np.isnan(parsed).any():
        return
    present = _without_missing(texts, (*MISSING_MARKERS, *column.missing))
    unread = np.flatnonzero(np.isnan(parsed) & present.notna().to_numpy())
    if unread.size:
        row = int(unread[0])
        raise DataError(
            f"Column {shown(column.name)} must hold {wanted} in every row, or nothing.",
            received=f"{origin or 'the data'}, row {texts.index[row] + 1}: {shown(texts.iloc[row])}"
            + (f", and {unread.size - 1} more rows" if unread.size > 1 else ""),
            remedy="correct the cell, or leave it empty to have it taken as missing",
        )
