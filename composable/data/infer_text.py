"""What a column of text is: the first kind that fits."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from composable.data.dates import DateOrder
from composable.data.distinct import distinct_texts
from composable.data.finding import Finding, TextCells
from composable.data.infer_dates import date_column, mixed_dates
from composable.data.infer_numbers import mixed_numbers, number_column
from composable.data.infer_words import truth_column, word_column
from composable.data.schema import MISSING_MARKS, Column


def text_column(
    values: pd.Series, name: str, *, decimal: str, date_order: DateOrder | None, is_target: bool
) -> Finding:
    """The kind of a `str` column, with the reason, in the order that `infer_schema` gives."""
    every = distinct_texts(values)
    if not len(every):
        return Finding(Column(name, "empty", "drop", "no values"))
    present, marks = every.without(MISSING_MARKS)
    if not len(present):
        return word_column(name, values, every, is_target=is_target)
    cells = TextCells(name, values, present, marks, decimal, date_order, is_target)
    finding = number_column(cells) or truth_column(cells) or date_column(cells)
    if finding is not None:
        return finding
    words = word_column(name, values, every, is_target=is_target)
    if is_target:
        return words
    return replace(words, notices=(*words.notices, *mixed_numbers(cells), *mixed_dates(cells)))
