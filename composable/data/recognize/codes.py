"""Digits that aren't quantities: codes such as 01234, and dates such as 20240131."""

from __future__ import annotations

import numpy as np

from composable.data.dates import COMPACT, days_from
from composable.data.recognize.column import Finding, RawColumn
from composable.data.recognize.distinct import Distinct
from composable.data.recognize.identifiers import ENOUGH_ROWS
from composable.data.schema import Column, Notice

_EXACT_DIGITS = 15  # that float64 always holds


def _code_reason(good: Distinct, numbers: np.ndarray) -> str:
    """Why texts of digits are codes rather than quantities; "" where they are quantities."""
    if not np.all(numbers == np.floor(numbers)) or not good.texts.str.isdigit().all():
        return ""
    padded = good.where(good.texts.str.fullmatch(r"0\d\d+").to_numpy(dtype=bool))
    if len(padded):
        return f"codes with leading zeros, such as {padded.example()}"
    if int(good.texts.str.len().max()) > _EXACT_DIGITS:
        return f"codes of more than {_EXACT_DIGITS} digits"
    return ""


def code_column(cells: RawColumn, good: Distinct, numbers: np.ndarray) -> Finding | None:
    """The column as codes, dropped where nearly every row has its own; None where digits are quantities."""
    why = _code_reason(good, numbers)
    if not why:
        return None
    column = Column(cells.name, "category", missing=cells.missing_markers, reason=why)
    notice = Notice(
        f"Read as {why}: categories, not quantities.", column=cells.name, remedy="--schema, kind 'number'"
    )
    if cells.is_target:
        return Finding(column, (notice,))
    if len(good) == 1:
        return Finding(
            Column(cells.name, "constant", "drop", f"always {good.texts.iloc[0]}", cells.missing_markers)
        )
    if good.cells >= ENOUGH_ROWS and len(good) >= 0.95 * good.cells:
        return Finding(
            Column(
                cells.name,
                "identifier",
                "drop",
                f"{why}; nearly every row has its own",
                cells.missing_markers,
            )
        )
    return Finding(column, (notice,))


def _are_compact_dates(good: Distinct, numbers: np.ndarray, name: str) -> bool:
    """Whether these are dates like 20240131: eight digits, every one a day between 1900 and 2099."""
    if numbers.min() < 19000101 or numbers.max() > 20991231 or not (good.texts.str.len() == 8).all():
        return False
    says_so = "date" in name.lower() or len(good) >= ENOUGH_ROWS
    return says_so and len(good) > 1 and not np.isnan(days_from(good.texts, COMPACT)).any()


def compact_date_column(cells: RawColumn, good: Distinct, numbers: np.ndarray) -> Finding | None:
    """The column as dates; None where it is a target or not every number is a day."""
    if cells.is_target or not _are_compact_dates(good, numbers, cells.name):
        return None
    reason = f"dates written as YYYYMMDD, such as {good.example()}"
    notice = Notice(
        f"Read as {reason}.", column=cells.name, remedy="--schema, kind 'number', if they are quantities"
    )
    return Finding(
        Column(cells.name, "date", reason=reason, missing=cells.missing_markers, date_format=COMPACT),
        (notice,),
    )
