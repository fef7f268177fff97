"""Target columns of a table as numbers, and class labels to class numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.encoding import Encoding
from composable.data.frames import column_of
from composable.data.parse import parse_column, parse_texts
from composable.data.schema import Column, Schema
from composable.data.table import Table
from composable.problem.problem import Head, Label


def label_text(label: Label) -> str:
    """The one spelling under which a label is looked up: 1, 1.0, "1" and " 1.0 " are the same class."""
    column = Column("", "category")
    text = parse_texts(pd.Series([label]), column).iloc[0]
    return "" if pd.isna(text) else str(text)


def as_number(column: Column) -> Column:
    """The column read as numbers, whatever kind its schema states: a regression of classes 1, 2, 3, say."""
    return replace(column, kind="number")


def encode_numbers(
    table: Table,
    schema: Schema,
    head: Head,
    encoding: Encoding | None = None,  # noqa: ARG001 (as of every kind)
) -> np.ndarray:
    """(rows, targets) of float64, NaN where a cell is empty.

    Raises:
        DataError: Naming the column, row and value that isn't a number.
    """
    each = [
        parse_column(
            column_of(table.frame, name), as_number(schema.column(name)), origin=table.origin, strict=True
        )
        for name in head.targets
    ]
    return np.stack([np.asarray(values, "float64") for values in each], axis=1)


def encode_classes(
    table: Table,
    schema: Schema,
    head: Head,
    encoding: Encoding | None = None,  # noqa: ARG001 (as of every kind)
) -> np.ndarray:
    """(rows, targets) class numbers of float64, NaN where a cell is empty.

    Raises:
        DataError: Naming the column, row and value that isn't one of the classes.
    """
    codes = {label_text(label): number for number, label in enumerate(head.labels)}
    each = [_codes(table, schema.column(name), head, codes) for name in head.targets]
    return np.stack(each, axis=1)


def _codes(table: Table, column: Column, head: Head, codes: dict[str, int]) -> np.ndarray:
    values = column_of(table.frame, column.name)
    as_texts = replace(column, kind="category")  # classes are distinguished by how they are written
    texts = pd.Series(parse_column(values, as_texts, origin=table.origin, strict=True))
    numbers = texts.map(codes)
    unknown = numbers.isna() & texts.notna()
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise DataError(
            f"The target {column.name!r} must hold one of the classes the model knows.",
            received=f"{table.origin}, row {row + 1}: {values.iloc[row]!r}",
            remedy=f"the classes are {', '.join(map(repr, head.labels[:20]))}",
        )
    return numbers.to_numpy("float64")
