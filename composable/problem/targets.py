"""The targets of a table's rows: which are there, and as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.encoding import Encoding
from composable.data.infer import check_targets
from composable.data.kinds import parsed
from composable.data.kinds.kind import Cells
from composable.data.schema import Notice, Schema
from composable.data.table import Table
from composable.problem.kinds import kind_of
from composable.problem.problem import Problem


def target_missing(frame: pd.DataFrame, schema: Schema, targets: Sequence[str]) -> np.ndarray:
    """Where a target column has no value, shape (n, targets)."""
    each = [pd.isna(parsed(Cells(schema.column(name), frame))) for name in targets]
    return np.stack(each, axis=1)


def have_targets(table: Table, schema: Schema, notify: Callable[[Notice], None], *, drop: bool) -> np.ndarray:
    """Which rows have a value in some target column, shape (n,).

    Args:
        table: The rows.
        schema: Determines which columns are targets.
        notify: Is given the number of the others, and of those that lack some.
        drop: Whether there may be others.

    Raises:
        DataError: If there are, and may not be.
    """
    targets = [column.name for column in schema.targets]
    missing = target_missing(table.frame, schema, targets)
    without = np.all(missing, axis=1)
    rows = np.flatnonzero(without)
    if len(rows) and not drop:
        raise DataError(
            "Every row needs a value in a target.",
            received=f"{table.origin}: {len(rows)} of {len(missing)} rows have none in "
            f"{', '.join(map(repr, targets))}, first rows {', '.join(map(str, table.numbers(rows[:5])))}",
            remedy="--drop-missing-target leaves those rows out",
        )
    if len(rows):
        notify(Notice(f"{len(rows)} rows without a target are left out.", "warning"))
    if partly := int((missing.any(axis=1) & ~without).sum()):
        counts = zip(targets, (~missing).sum(axis=0), strict=True)
        each = ", ".join(f"{name!r} has a value in {count}" for name, count in counts)
        notify(Notice(f"{partly} rows lack some of the targets and count for the others: {each}."))
    return np.invert(without)


def labeled(table: Table, schema: Schema, problem: Problem) -> Table:
    """The rows of a table that have a value in some target column.

    Raises:
        DataError: If a target column isn't there.
    """
    check_targets(table, problem.targets)
    known = ~target_missing(table.frame, schema, problem.targets).all(axis=1)
    return replace(table, frame=table.frame.loc[known].reset_index(drop=True))


def encode_targets(
    table: Table, schema: Schema, problem: Problem, encoding: Encoding | None = None
) -> tuple[np.ndarray, ...]:
    """One array per head, as its kind encodes it: numbers or class numbers (n, 1), 0/1 per label (n, labels).

    A target that a row lacks is NaN.

    Args:
        table: The rows.
        schema: Determines how the columns are read.
        problem: Its heads.
        encoding: Of the inputs; only masks need it, whose size it sets.

    Raises:
        DataError: Naming the column, row and value that isn't a number or isn't one of the classes.
    """
    return tuple(kind_of(head).encode(table, schema, head, encoding) for head in problem.heads)
