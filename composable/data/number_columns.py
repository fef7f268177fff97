"""When a column is numbers, and when digits are only names: codes, row numbers, identifiers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from composable.data.names import listed
from composable.data.notation import COMPACT, Writing, days_from, detect_writing, numbers_from
from composable.data.recognize import (
    ENOUGH_ROWS,
    MOST,
    ODD_TEXTS,
    Distinct,
    Finding,
    RawColumn,
    finite_cells,
    infinite_cells,
    is_named_like_identifier,
    odd_cells,
    or_missing,
    row_number_reason,
    span,
)
from composable.data.schema import Column, Notice

_FEW_NUMBERS = 10  # with fewer different numbers, numbers and words together are categories: "1", "2", "3+"


def number_column(cells: RawColumn) -> Finding | None:
    """The column as numbers, or as what their digits stand for; None where too few cells are numbers."""
    if not cells.is_text:
        return _typed_number(cells)
    present = cells.present
    writing, numbers = detect_writing(present.texts, present.counts, cells.decimal)
    is_number = ~np.isnan(numbers)
    good, odd = present.where(is_number), present.where(~is_number)
    numbers = numbers[is_number]
    if not good.cells or good.cells < MOST * present.cells or len(odd) > ODD_TEXTS:
        return None
    different = len(np.unique(numbers))
    if len(odd) and different < _FEW_NUMBERS:
        return None
    if finding := _code_column(cells, good, numbers):
        return finding
    if not len(odd) and (finding := _compact_date_column(cells, good, numbers)):
        return finding
    finite = np.isfinite(numbers)
    column = Column(
        cells.name,
        "number",
        missing=(*cells.missing_markers, *odd.texts),
        decimal=writing.decimal,
        thousands=writing.thousands,
        affixes=writing.affixes,
    )
    notices = (*_writing_notices(cells, good, writing), *_oddities(cells, good, odd, finite))
    return Finding(_judged(column, cells, good, numbers, finite), notices)


def _typed_number(column: RawColumn) -> Finding | None:
    """A column of numbers, or of row numbers; None for other types."""
    kind = column.values.dtype
    if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        return None
    present, notices = finite_cells(column)
    numbers = present.to_numpy(dtype="float64")
    may_count = pd.api.types.is_integer_dtype(kind) and not column.is_target
    if may_count and (why := row_number_reason(column.name, numbers)):
        return Finding(Column(column.name, "identifier", "drop", why), notices)
    return Finding(Column(column.name, "number", "feature", span(numbers)), notices)


def mixed_numbers(cells: RawColumn) -> tuple[Notice, ...]:
    """A warning where at least half of the cells of a column that isn't taken as numbers are numbers."""
    if not cells.is_text or cells.is_target:
        return ()
    present = cells.present
    _, numbers = detect_writing(present.texts, present.counts, cells.decimal)
    odd = present.where(np.isnan(numbers))
    if odd.cells > present.cells / 2 or not len(odd):
        return ()
    return (
        Notice(
            f"{present.cells - odd.cells} of {present.cells} cells are numbers, {odd.cells} are not "
            f"({listed(odd.texts, 3)}; the first is {odd.example()}): the column is not taken as numbers.",
            level="warning",
            column=cells.name,
            remedy="give it the kind 'number' in a schema to have the others count as missing: --schema",
        ),
    )


def _judged(
    column: Column, cells: RawColumn, good: Distinct, numbers: np.ndarray, finite: np.ndarray
) -> Column:
    if not finite.any():
        return replace(column, kind="empty", role="drop", reason="infinite in every row")
    if not cells.is_target:
        if finite.all() and len(np.unique(numbers)) == 1:
            reason = f"always {good.texts.iloc[0]}{or_missing(cells.values, good.cells)}"
            return replace(column, kind="constant", role="drop", reason=reason)
        may_name_rows = len(good) == len(cells.values) or is_named_like_identifier(cells.name)
        whole = may_name_rows and finite.all() and not good.texts.str.contains("[.,eE]").any()
        if whole and (why := row_number_reason(cells.name, np.repeat(numbers, good.counts))):
            return replace(column, kind="identifier", role="drop", reason=why)
    return replace(column, reason=span(numbers[finite]))


def _oddities(cells: RawColumn, good: Distinct, odd: Distinct, finite: np.ndarray) -> list[Notice]:
    notices = [odd_cells(cells, odd, "number")] if len(odd) else []
    if not finite.all():
        infinite = good.where(~finite)
        notices.append(infinite_cells(cells.name, infinite.cells, int(infinite.first.min())))
    return notices


def _writing_notices(cells: RawColumn, good: Distinct, writing: Writing) -> list[Notice]:
    notices = []
    if writing.thousands:
        grouped = good.where(good.texts.str.contains(writing.thousands, regex=False).to_numpy(dtype=bool))
        value = numbers_from(grouped.texts.head(1), writing)[0]
        notices.append(
            Notice(
                f"{writing.thousands!r} is read as grouping thousands: {grouped.example()} is {value:g}.",
                column=cells.name,
                remedy=f"--decimal {writing.thousands} if it is the decimal mark"
                if writing.thousands in ",."
                else "",
            )
        )
    if writing.decimal != cells.decimal:
        marked = good.where(good.texts.str.contains(writing.decimal, regex=False).to_numpy(dtype=bool))
        text = f"{writing.decimal!r} is read as the decimal mark here: {marked.example()}."
        notices.append(
            Notice(text, column=cells.name, remedy="change 'decimal' of the column in a schema: --schema")
        )
    if writing.affixes:
        affixed = good.where(
            good.texts.map(lambda text: any(mark in text for mark in writing.affixes)).to_numpy(dtype=bool)
        )
        bare = good.cells - affixed.cells
        text = (
            f"{listed(writing.affixes)} is taken off {affixed.cells} numbers, the first {affixed.example()}"
        )
        mixed = bare or len(writing.affixes) > 1
        text += (
            f"; {bare} have none: are they in the same unit?"
            if bare
            else "; are they in the same unit?"
            if mixed
            else "."
        )
        notices.append(Notice(text, level="warning" if mixed else "note", column=cells.name))
    return notices


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


def _code_column(cells: RawColumn, good: Distinct, numbers: np.ndarray) -> Finding | None:
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


def _compact_date_column(cells: RawColumn, good: Distinct, numbers: np.ndarray) -> Finding | None:
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
