"""How people write numbers (decimal commas, thousands separators, currencies, percents) and dates."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from composable.data.schema import DATE_ORIGIN

_arrow = cast("Any", compute)  # its functions are made at import, out of a type checker's sight
_NOTHING = pa.scalar(None, pa.large_string())
_SPACES = (" ", "\u00a0", "\u202f")  # plain, no-break and narrow no-break space
_APOSTROPHES = ("'", "\u2019")
_GROUPINGS = (",", ".", *_SPACES, *_APOSTROPHES)
_INFINITY = "(?i:inf(?:inity)?)"
_UNITS = ("%", "‰", "°")
_MARKED = re.compile(
    r"[+-]?(?P<before>[^\s\d.,+-]{1,3})?\s*[+-]?\d(?:[\d.,'\u2019\s]*\d)?[.,]?(?P<blank>\s*)(?P<after>[^\s\d.,+-]{1,8})?"
)


@dataclass(frozen=True)
class Writing:
    """How the numbers of a column are written; see the fields of the same names in `Column`."""

    decimal: str = "."
    thousands: str = ""
    affixes: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        """A regular expression (RE2 and Python) for one whole number."""
        digits = r"\d+"
        if self.thousands:
            digits = rf"(?:\d{{1,3}}(?:{_literal(self.thousands)}\d{{3}})+|\d+)"
        mark = _literal(self.decimal)
        size = rf"(?:{digits}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?"
        if not self.affixes:
            return rf"[+-]?(?:{size}|{_INFINITY})"
        affix = "(?:" + "|".join(map(_literal, self.affixes)) + ")"
        return rf"(?:[+-]?(?:{affix}\s*)?|{affix}\s*[+-])(?:{size}|{_INFINITY})(?:\s*{affix})?"


def numbers_from(texts: pd.Series, writing: Writing) -> np.ndarray:
    """Texts without outer blanks -> float64; NaN where there is no number, infinities as they are.

    "1e400" is infinite: float64 has nothing larger than 1.8e308.
    """
    cells = pa.array(texts, pa.large_string())
    cells = _arrow.if_else(_arrow.match_substring_regex(cells, f"^(?:{writing.pattern})$"), cells, _NOTHING)
    for affix in sorted(writing.affixes, key=len, reverse=True):
        cells = _arrow.replace_substring(cells, affix, "")
    if writing.affixes:
        cells = _arrow.replace_substring_regex(cells, r"\s+", "")
    if writing.thousands:
        cells = _arrow.replace_substring(cells, writing.thousands, "")
    if writing.decimal != ".":
        cells = _arrow.replace_substring(cells, writing.decimal, ".")
    numbers = np.asarray(cells.cast(pa.float64()))  # rounds correctly and gives infinity beyond 1.8e308
    return numbers.copy()  # Arrow's own may not be written to


def detect_writing(texts: pd.Series, counts: np.ndarray, decimal: str) -> tuple[Writing, np.ndarray]:
    """The writing under which most cells are numbers, and those numbers.

    Args:
        texts: The different texts of a column, without outer blanks.
        counts: How many cells have each text.
        decimal: The file's decimal separator: it decides where a column alone can't ("1,234").
    """
    best = Writing(decimal)
    numbers = numbers_from(texts, best)
    failing = texts.loc[np.isnan(numbers)]
    if not len(failing) or not failing.str.contains(r"\d").any():
        return best, numbers
    affixes = _affixes(failing)
    score = counts[~np.isnan(numbers)].sum()
    other = "," if decimal == "." else "."
    held = "".join(failing.head(20_000))
    for mark in (decimal, other):
        for grouping in ("", *_GROUPINGS):
            if (
                grouping == mark
                or grouping not in held
                or (not grouping and mark not in held and not affixes)
            ):
                continue
            for signs in dict.fromkeys(((), affixes)):
                candidate = Writing(mark, grouping, signs)
                found = numbers_from(texts, candidate)
                if (reached := counts[~np.isnan(found)].sum()) > score:
                    best, numbers, score = candidate, found, reached
    return best, numbers


def _affixes(failing: pd.Series) -> tuple[str, ...]:
    """Currency signs, percent and degrees beside a number; a unit after a blank where a fifth have it."""
    seen: dict[str, int] = {}
    sample = failing.head(2_000)
    for text in sample:
        if found := _MARKED.fullmatch(text):
            unit = found["after"] if found["blank"] or _is_sign(found["after"] or "") else None
            for mark in (found["before"], unit):
                if mark and (mark == unit or _is_sign(mark)):
                    seen[mark] = seen.get(mark, 0) + 1
    return tuple(mark for mark, count in seen.items() if _is_sign(mark) or count >= 0.2 * len(sample))


def _is_sign(mark: str) -> bool:
    return mark in _UNITS or all(unicodedata.category(letter) == "Sc" for letter in mark)


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\ ", " ")


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
