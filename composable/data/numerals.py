"""Numbers as people write them: decimal commas, thousands separators, currencies, percents."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

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
