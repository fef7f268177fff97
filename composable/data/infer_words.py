"""When a column of text is truth values, categories, identifiers or free text."""

from __future__ import annotations

import pandas as pd

from composable.data.distinct import Distinct
from composable.data.finding import Finding, TextCells, or_missing
from composable.data.identifiers import ENOUGH_ROWS, is_named_like_identifier
from composable.data.kinds.category import VOCABULARY
from composable.data.names import shown
from composable.data.schema import SURE_MARKS, Column, Notice

_TRUTHS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
_TOKEN = 1.2  # words per cell, on average, up to which cells are single tokens
_PROSE = 8.0  # words per cell from which even repeated cells are free text
_SAMPLE = 5_000


def truth_column(cells: TextCells) -> Finding | None:
    """The column as true or false; None where it holds anything else."""
    present = cells.present
    lowered = set(present.texts.str.lower()) if len(present) <= 6 else set()  # three spellings of two values
    if lowered not in _TRUTHS:
        return None
    return Finding(Column(cells.name, "boolean", "feature", " or ".join(present.texts), cells.marks))


def word_column(name: str, values: pd.Series, every: Distinct, *, is_target: bool) -> Finding:
    """The column as a category, an identifier or free text.

    Args:
        name: The column's name.
        values: The raw cells.
        every: Their different texts, missing marks included.
        is_target: Whether it is to be predicted: then it is a category.
    """
    present, marks = every.without(SURE_MARKS)
    if not len(present):
        return Finding(Column(name, "category" if is_target else "empty", "drop", "no values", marks))
    count = f"{len(present):,} different texts"
    if is_target:
        return Finding(Column(name, "category", "feature", count, marks))
    if len(present) == 1:
        reason = f"always {shown(present.texts.iloc[0], 40)}{or_missing(values, present.cells)}"
        return Finding(Column(name, "constant", "drop", reason, marks))
    words = float(present.texts.head(_SAMPLE).str.count(r"\S+").mean())
    distinct = len(present) / present.cells
    enough = present.cells >= ENOUGH_ROWS
    if enough and words <= _TOKEN and distinct >= (0.9 if is_named_like_identifier(name) else 0.95):
        return Finding(Column(name, "identifier", "drop", f"{count} in {present.cells:,} rows", marks))
    if enough and ((distinct > 0.5 and words > 1.5) or (words >= _PROSE and len(present) > 50)):
        reason = f"free text: {words:.1f} words on average, {distinct:.0%} of the cells differ"
        return Finding(Column(name, "text", "feature", reason, marks))
    column = Column(name, "category", "feature", count, marks)
    return Finding(column, _rare(name, present))


def _rare(name: str, present: Distinct) -> tuple[Notice, ...]:
    if len(present) <= VOCABULARY:
        return ()
    text = f"{len(present):,} different texts: all but the {VOCABULARY:,} most frequent count as unknown."
    return (Notice(text, level="warning", column=name, remedy="--drop if the column only names the rows"),)
