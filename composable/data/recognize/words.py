"""When a column of text is truth values, categories, identifiers or free text."""

from __future__ import annotations

import pandas as pd

from composable.data.names import shown
from composable.data.recognize.column import (
    ENOUGH_ROWS,
    Distinct,
    Finding,
    RawColumn,
    is_named_like_identifier,
    or_missing,
)
from composable.data.schema import SURE_MARKERS, Column, Notice

VOCABULARY = 10_000  # categories that get a code of their own
_TRUTHS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
_TOKEN = 1.2  # words per cell, on average, up to which cells are single tokens
_FEW = 1.5  # words per cell above which cells that mostly differ are free text
_PROSE = 8.0  # words per cell from which even repeated cells are free text
_SAMPLE = 5_000


def truth_column(cells: RawColumn) -> Finding | None:
    """The column as true or false; None where it holds anything else."""
    if not cells.is_text:
        is_truth = cells.source is None and pd.api.types.is_bool_dtype(cells.values.dtype)
        return Finding(Column(cells.name, "boolean", "feature", "true or false")) if is_truth else None
    present = cells.present
    lowered = set(present.texts.str.lower()) if len(present) <= 6 else set()  # three spellings of two values
    if lowered not in _TRUTHS:
        return None
    return Finding(
        Column(cells.name, "boolean", "feature", " or ".join(present.texts), cells.missing_markers)
    )


def prose_column(cells: RawColumn) -> Finding | None:
    """The column as free text: cells are several words and mostly differ; None for others and for targets."""
    if cells.is_target or not (cells.is_text or isinstance(cells.values.dtype, pd.CategoricalDtype)):
        return None
    present, markers = cells.every.without(SURE_MARKERS)
    if present.cells < ENOUGH_ROWS:
        return None
    words, distinct = _words(present), len(present) / present.cells
    if not ((distinct > 0.5 and words > _FEW) or (words >= _PROSE and len(present) > 50)):
        return None
    reason = f"free text: {words:.1f} words on average, {distinct:.0%} of the cells differ"
    return Finding(Column(cells.name, "text", "feature", reason, markers))


def word_column(cells: RawColumn) -> Finding:
    """The column, of no other kind, as an identifier, a constant or a category."""
    name = cells.name
    if not len(cells.every):
        return Finding(Column(name, "empty", "drop", "no values"))
    present, markers = cells.every.without(SURE_MARKERS)
    if not len(present):
        return Finding(Column(name, "category" if cells.is_target else "empty", "drop", "no values", markers))
    count = f"{len(present):,} different texts"
    if cells.is_target:
        return Finding(Column(name, "category", "feature", count, markers))
    if len(present) == 1:
        reason = f"always {shown(present.texts.iloc[0], 40)}{or_missing(cells.values, present.cells)}"
        return Finding(Column(name, "constant", "drop", reason, markers))
    distinct = len(present) / present.cells
    mostly = 0.9 if is_named_like_identifier(name) else 0.95
    if present.cells >= ENOUGH_ROWS and distinct >= mostly and _words(present) <= _TOKEN:
        return Finding(Column(name, "identifier", "drop", f"{count} in {present.cells:,} rows", markers))
    return Finding(Column(name, "category", "feature", count, markers), _rare(name, present))


def _words(present: Distinct) -> float:
    """Per cell, on average."""
    return float(present.texts.head(_SAMPLE).str.count(r"\S+").mean())


def _rare(name: str, present: Distinct) -> tuple[Notice, ...]:
    if len(present) <= VOCABULARY:
        return ()
    text = f"{len(present):,} different texts: all but the {VOCABULARY:,} most frequent count as unknown."
    return (Notice(text, level="warning", column=name, remedy="--drop if the column only names the rows"),)
