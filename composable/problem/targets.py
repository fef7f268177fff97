"""The targets of a table's rows: which are there, and as arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from composable.data.check import check_targets
from composable.data.encoding import Encoding
from composable.data.frames import column_of
from composable.data.parse import parse_column
from composable.data.schema import Schema
from composable.data.table import Table
from composable.problem.kinds import kind_of
from composable.problem.problem import Problem


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
    table: Table, schema: Schema, problem: Problem, encoding: Encoding | None = None
) -> tuple[np.ndarray, ...]:
    """One array per head, as its kind encodes it: numbers or class numbers (n, 1), 0/1 per label (n, labels).

    Args:
        table: The rows.
        schema: Determines how the columns are read.
        problem: Its heads.
        encoding: Of the inputs; only masks need it, whose size it sets.

    Raises:
        DataError: Naming the column, row and value that isn't a number or isn't one of the classes.
    """
    return tuple(kind_of(head).encode(table, schema, head, encoding) for head in problem.heads)
