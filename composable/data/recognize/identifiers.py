"""Columns that only number or name the rows: nothing can be learned from them that holds for a new row."""

from __future__ import annotations

import re

import numpy as np

ENOUGH_ROWS = 10  # below this, differing values prove nothing
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ALWAYS = {"id", "ids", "uuid", "guid", "pid", "identifier", "index", "rownum", "rowid", "unnamed"}
_AS_LAST_WORD = {"number", "no", "nr", "key", "code"}


def is_named_like_identifier(name: str) -> bool:
    """Whether a word of the name means "identifier": `PID`, `customer_id`, `hospital_number`, `userId`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return bool(_ALWAYS & set(words)) or (len(words) > 1 and words[-1] in _AS_LAST_WORD)


def row_number_reason(name: str, numbers: np.ndarray) -> str:
    """Why whole numbers, in row order and without gaps, identify rows; "" where they don't.

    Row numbers rise by one from 0 or 1. Other whole numbers need such a name and (nearly) no
    repetition: a price or a year may well differ in every row.
    """
    rows = len(numbers)
    if rows < ENOUGH_ROWS:
        return ""
    if numbers[0] in (0, 1) and np.all(np.diff(numbers) == 1):
        return f"counts the rows from {int(numbers[0])}"
    distinct = len(np.unique(numbers))
    if is_named_like_identifier(name) and distinct >= 0.9 * rows and not np.all(numbers == numbers[0]):
        return (
            "every value differs"
            if distinct == rows
            else f"{distinct} different whole numbers in {rows} rows"
        )
    return ""
