"""Dates: float32 days since 2000-01-01, the time of day as the fraction, NaN where there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from composable.data.kinds.kind import Cells, InputKind, ModelInput, as_they_are, gaps, known_columns
from composable.data.kinds.number import described
from composable.data.notation import Dates, detect_dates, zones
from composable.data.parse import parse_dates
from composable.data.recognize import (
    MOST,
    ODD_TEXTS,
    Distinct,
    Finding,
    RawColumn,
    odd_cells,
    or_missing,
)
from composable.data.schema import DATE_ORIGIN, Column, Notice

DATES = "dates"
_YEAR = 525_600  # minutes


@dataclass(frozen=True)
class DateBlock:
    """A column of dates."""

    kind: Literal["date"] = field(default="date", kw_only=True)
    column: str

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """One column of `dates`."""
        return (ModelInput(DATES, (1,), "float32", "amounts"),)

    def encode(self, cells: Cells) -> dict[str, np.ndarray]:
        """Float32 days, or NaN where there is no value."""
        days = _parsed(cells)
        return {DATES: days.astype("float32")[:, None]}

    def golden(self, column: Column, rows: int, random: np.random.Generator) -> pd.Series:
        """Of type datetime64."""
        minutes = random.integers(-20 * _YEAR, 40 * _YEAR, rows)
        dates = pd.Series(pd.Timestamp(DATE_ORIGIN) + pd.to_timedelta(minutes, unit="min"))
        dates[gaps(rows, random)] = pd.NaT
        dates.iloc[-3] = pd.NaT
        return dates


def _parsed(cells: Cells) -> np.ndarray:
    return parse_dates(cells.values, cells.column, origin=cells.origin, strict=cells.strict)


def _fit(cells: Cells) -> DateBlock:
    return DateBlock(cells.column.name)


def _describe(cells: Cells) -> dict[str, Any]:
    return described(cells, _parsed(cells))


def _training_notices(block: DateBlock, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """How many dates lie in the future."""
    today = (dt.datetime.now(dt.UTC).date() - dt.date.fromisoformat(DATE_ORIGIN)).days
    late = int((inputs[DATES] > today + 1).sum())
    if late:
        yield Notice(
            f"{late} dates of {block.column!r} lie in the future: such a column is often filled in "
            "afterwards.",
            "warning",
            block.column,
            f"--drop {block.column!r} if it isn't known when predicting",
        )


def date_column(cells: RawColumn) -> Finding | None:
    """The column as dates; None where it is a target or too few cells share a date format."""
    if not cells.is_text:
        return _typed_date(cells)
    present = cells.present
    dates = None if cells.is_target else detect_dates(present.texts, present.counts, cells.date_order)
    if dates is None:
        return None
    is_date = ~np.isnan(dates.days)
    good, odd = present.where(is_date), present.where(~is_date)
    if good.cells < MOST * present.cells or len(odd) > ODD_TEXTS:
        return None
    column = Column(
        cells.name, "date", missing=(*cells.missing_markers, *odd.texts), date_format=dates.format
    )
    if len(np.unique(dates.days[is_date])) == 1:
        reason = f"always {good.texts.iloc[0]}{or_missing(cells.values, good.cells)}"
        return Finding(Column(cells.name, "constant", "drop", reason, column.missing))
    reason = f"dates such as {good.texts.iloc[0]} ({dates.format})"
    odd_notices = [odd_cells(cells, odd, f"date in the format {dates.format}")] if len(odd) else []
    column = Column(cells.name, "date", "feature", reason, column.missing, dates.format)
    return Finding(column, (*_order_notices(cells, good, dates), *_zone_notices(cells, good), *odd_notices))


def _typed_date(column: RawColumn) -> Finding | None:
    """A column of dates, which as a target are categories; None for other types."""
    if not pd.api.types.is_datetime64_any_dtype(column.values.dtype):
        return None
    present = column.values.dropna()
    if column.is_target:
        return Finding(Column(column.name, "category", "feature", f"{present.nunique()} different dates"))
    reason = f"dates from {present.min():%Y-%m-%d} to {present.max():%Y-%m-%d}"
    return Finding(Column(column.name, "date", "feature", reason, date_format="ISO8601"))


def mixed_dates(cells: RawColumn) -> tuple[Notice, ...]:
    """A warning where most cells of a column that isn't taken as dates share a date format."""
    if not cells.is_text or cells.is_target:
        return ()
    dates = detect_dates(cells.present.texts, cells.present.counts, cells.date_order)
    if dates is None:
        return ()
    odd = cells.present.where(np.isnan(dates.days))
    return (
        Notice(
            f"{cells.present.cells - odd.cells} of {cells.present.cells} cells are dates in the format "
            f"{dates.format}, too few to read the column as dates; the first other is {odd.example()}.",
            level="warning",
            column=cells.name,
            remedy="write all of them in one format, for example 2024-01-31",
        ),
    )


def _order_notices(cells: RawColumn, good: Distinct, dates: Dates) -> list[Notice]:
    if not dates.ambiguous or cells.date_order:
        return []
    chosen, other = ("month", "day") if dates.format.startswith("%m") else ("day", "month")
    return [
        Notice(
            f"Day and month can't be distinguished; read {chosen}-first: {good.example()}.",
            level="warning",
            column=cells.name,
            remedy=f"--date-order {other}-first",
        )
    ]


def _zone_notices(cells: RawColumn, good: Distinct) -> list[Notice]:
    offsets = zones(good.texts)
    if len(offsets) < 2:
        return []
    named = ", ".join(sorted(offset or "none" for offset in offsets)[:5])
    return [
        Notice(
            f"Times are in {len(offsets)} time zones ({named}); all are turned into UTC"
            + (", and those without a zone are taken as UTC." if "" in offsets else "."),
            level="warning" if "" in offsets else "note",
            column=cells.name,
        )
    ]


DATE = InputKind(
    "date",
    ("date",),
    date_column,
    _fit,
    _describe,
    known_columns,
    training_notices=_training_notices,
    tabular=partial(as_they_are, DATES),
    nearly=mixed_dates,
    parse=_parsed,
    is_ordered=True,
)
