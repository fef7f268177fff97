"""Target columns to arrays, and class labels to numbers and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.check import check_targets
from composable.data.frames import column_of
from composable.data.parse import parse_column, parse_texts
from composable.data.schema import Column, Schema
from composable.data.table import Table
from composable.problem.problem import Head, Label, Problem


def label_text(label: Label) -> str:
    """The one spelling under which a label is looked up: 1, 1.0, "1" and " 1.0 " are the same class."""
    column = Column("", "category")
    text = parse_texts(pd.Series([label]), column).iloc[0]
    return "" if pd.isna(text) else str(text)


def as_number(column: Column) -> Column:
    """The column read as numbers, whatever kind its schema says: a regression of classes 1, 2, 3, say."""
    return replace(column, kind="number")


def target_missing(frame: pd.DataFrame, schema: Schema, targets: tuple[str, ...]) -> np.ndarray:
    """Which rows lack a value in some target column, shape (n,)."""
    missing = np.zeros(len(frame), bool)
    for name in targets:
        values = parse_column(column_of(frame, name), schema.column(name), origin="", strict=False)
        missing |= np.asarray(pd.isna(values))
    return missing


def labeled(table: Table, schema: Schema, problem: Problem) -> Table:
    """The rows of a table that have a value in every target column.

    Raises:
        DataError: If a target column isn't there.
    """
    check_targets(table, problem.targets)
    known = ~target_missing(table.frame, schema, problem.targets)
    return replace(table, frame=table.frame.loc[known].reset_index(drop=True))


def encode_targets(
    frame: pd.DataFrame, schema: Schema, problem: Problem, *, origin: str
) -> tuple[np.ndarray, ...]:
    """One array per head: numbers (n, 1), class numbers (n, 1), or 0/1 per label (n, labels); float64.

    Raises:
        DataError: Naming the column, row and value that isn't a number or isn't one of the classes.
    """
    return tuple(
        np.stack(
            [_encode(column_of(frame, name), schema.column(name), head, origin) for name in head.targets],
            axis=1,
        )
        for head in problem.heads
    )


def _encode(values: pd.Series, column: Column, head: Head, origin: str) -> np.ndarray:
    if head.kind == "regression":
        return np.asarray(parse_column(values, as_number(column), origin=origin, strict=True), "float64")
    as_texts = replace(column, kind="category")  # classes are told apart by how they are written
    texts = parse_column(values, as_texts, origin=origin, strict=True)
    numbers = pd.Series(texts).map({label_text(label): i for i, label in enumerate(head.labels)})
    if numbers.isna().any():
        row = int(np.flatnonzero(numbers.isna())[0])
        raise DataError(
            f"The target {column.name!r} must hold one of the classes the model knows.",
            received=f"{origin}, row {row + 1}: {values.iloc[row]!r}",
            remedy=f"the classes are {', '.join(map(repr, head.labels[:20]))}",
        )
    return numbers.to_numpy("float64")
