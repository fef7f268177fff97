"""Dates as people write them: one format per column, chosen over all its cells; a notice reports 01/02."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from composable.data.schema import DATE_ORIGIN

ISO = "ISO8601"
COMPACT = "%Y%m%d"
DateOrder = Literal["day-first", "month-first"]

_ORIGIN = pd.Timestamp(DATE_ORIGIN, tz="UTC")
_DAYS = (
    "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y",
    "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%d-%b-%Y", "%d-%b-%y", "%d-%B-%Y", "%d %b %Y",
    "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%b %Y", "%B %Y",
)  # fmt: skip
_TIMES = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S%z", " %H:%M:%S %z",
)  # fmt: skip
_SHAPE = re.compile(
    r"(?:\d{4}-\d{1,2}(?:-\d{1,2})?|\d{4}[/.]\d{1,2}[/.]\d{1,2}|\d{1,2}([/.-])\d{1,2}\1(?:\d{4}|\d{2})"
    r"|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}|[A-Za-z]{3,9} (?:\d{1,2},? )?\d{4})(?:[T ].{4,24})?"
)
_ZONE = re.compile(r"\d(Z|[+-]\d\d:?\d\d)$")
_SAMPLE = 100


@dataclass(frozen=True, eq=False)
class Dates:
    """What a column of texts gives when read as dates.

    Attributes:
        format: As in `Column.date_format`.
        days: Days since `DATE_ORIGIN`; NaN where the text isn't a date.
        ambiguous: Whether day-first and month-first fit equally well, so that the choice is a guess.
    """

    format: str
    days: np.ndarray
    ambiguous: bool = False


def days_from(texts: pd.Series, date_format: str) -> np.ndarray:
    """Texts to float64 days since `DATE_ORIGIN` (UTC, the time as a fraction); NaN where there is no date."""
    stamps = pd.to_datetime(texts, format=date_format, errors="coerce", utc=True)
    return days_of(stamps)


def days_of(stamps: pd.Series) -> np.ndarray:
    """`datetime64` values, with or without a time zone, to float64 days since `DATE_ORIGIN`."""
    stamps = stamps.dt.tz_localize("UTC") if stamps.dt.tz is None else stamps
    return ((stamps - _ORIGIN) / pd.Timedelta(days=1)).to_numpy(dtype="float64", na_value=np.nan)


def detect_dates(texts: pd.Series, counts: np.ndarray, order: DateOrder | None) -> Dates | None:
    """The date format that fits the most cells; None where fewer than half look like dates.

    Args:
        texts: The different texts of a column in order of appearance, without outer blanks.
        counts: How many cells have each text.
        order: The user's choice for 01/02.
    """
    sample = texts.head(_SAMPLE)
    shaped = sample.loc[[_SHAPE.fullmatch(text) is not None for text in sample]]
    if len(shaped) <= len(sample) / 2:
        return None
    promising = [f for f in _formats(order) if not np.isnan(days_from(shaped, f)).all()]
    tried = [Dates(f, days_from(texts, f)) for f in promising]
    if not tried:
        return None
    reached = [counts[~np.isnan(found.days)].sum() for found in tried]
    best = [found for found, score in zip(tried, reached, strict=True) if score == max(reached)]
    if max(reached) <= counts.sum() / 2:
        return None
    orders = {_order(found.format): found for found in reversed(best)}
    if not {"day-first", "month-first"} <= set(orders):
        return best[0]
    rising = [found for found in best if _never_falls(found.days)]
    if len(rising) == 1:
        return rising[0]
    return Dates(best[0].format, best[0].days, ambiguous=True)


def zones(texts: pd.Series) -> set[str]:
    """The time zone offsets that end these texts; "" for texts without one."""
    return {found[1] if (found := _ZONE.search(text)) else "" for text in texts if ":" in text}


def _formats(order: DateOrder | None) -> list[str]:
    every = [ISO, *(day + time for day, time in itertools.product(_DAYS, _TIMES))]
    return [f for f in every if order is None or _order(f) in (order, None)]


def _order(date_format: str) -> DateOrder | None:
    if re.match(r"%d.%m", date_format):
        return "day-first"
    return "month-first" if re.match(r"%m.%d", date_format) else None


def _never_falls(days: np.ndarray) -> bool:
    return bool(np.all(np.diff(days[~np.isnan(days)]) >= 0))
