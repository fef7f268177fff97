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
from composable.data.parse import parse_dates
from composable.data.recognize.dates import date_column, mixed_dates
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
