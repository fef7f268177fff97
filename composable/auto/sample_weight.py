"""Sample weights: how much each row counts, checked before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from composable.core.errors import ConfigError, DataError
from composable.data.frames import column_of
from composable.data.names import require_column, shown
from composable.data.parse import parse_numbers
from composable.data.schema import Column, Schema
from composable.data.table import Table
from composable.problem.kinds import kind_of
from composable.problem.problem import Problem
from composable.problem.targets import encode_targets


def weights_of(table: Table, column: str | None, given: Any) -> np.ndarray | None:
    """A weight per row, from a column of the table or as an array; None where all rows count alike.

    Raises:
        ConfigError: If both are set, or the column isn't there, or the rows are a sample of a file.
        DataError: If they can't be weights, see `checked_weights`; or a cell of the column is no number.
    """
    if table.sample is not None and given is not None:
        raise ConfigError(
            "Of a file of which a sample is held the weights are a column.",
            received=f"sample_weight for {table.sample.total:,} rows of {table.origin}",
            remedy="--weight COLUMN",
        )
    if column is None:
        return None if given is None else checked_weights(given, len(table.frame))
    if given is not None:
        raise ConfigError(
            "Weights come from one place.",
            received=f"sample_weight and the column {shown(column)}",
            remedy="leave out one of them",
        )
    names = list(table.frame.columns)
    rule = "The column of weights must be in the table."
    require_column(column, names, rule=rule, origin=table.origin)
    read_as = Column(column, "number", decimal=table.format.decimal if table.format else ".")
    values = parse_numbers(column_of(table.frame, column), read_as, origin=table.origin, strict=True)
    return checked_weights(values, len(table.frame), of=f"{table.origin}, {shown(column)}: ")


def balanced(weights: np.ndarray | None, table: Table, schema: Schema, problem: Problem) -> np.ndarray:
    """Weights by which every class counts alike, whatever its number of rows; of several targets the product.

    Args:
        weights: Those that rows have besides, or None.
        table: The rows to be learned from.
        schema: Of its columns.
        problem: What is predicted.

    Returns:
        A weight per row, float64.

    Raises:
        ConfigError: If no target has classes that exclude one another.
    """
    targets = encode_targets(table, schema, problem)
    classes = [y[:, 0] for head, y in zip(problem.heads, targets, strict=True) if kind_of(head).exclusive]
    if not classes:
        raise ConfigError(
            "--class-weight is only for targets of classes.",
            received=", ".join(f"{head.name} ({head.kind})" for head in problem.heads),
            remedy="leave out --class-weight; --weight COLUMN gives rows weights of your own",
        )
    found = np.ones(len(table.frame)) if weights is None else weights.copy()
    for each in classes:
        known = ~np.isnan(each)
        found[known] *= np.asarray(compute_sample_weight("balanced", each[known]))
    return found


def checked_weights(given: Any, rows: int, of: str = "") -> np.ndarray:
    """A weight per row of the data, shape (rows,), float64; ones where the user has none.

    Args:
        given: The user's weights, or None.
        rows: Of the data.
        of: Where they come from, for errors.

    Raises:
        DataError: If their number is wrong, one is negative or not finite (with its index), or all are zero.
    """
    if given is None:
        return np.ones(rows)
    try:
        weights = np.asarray(given, "float64").reshape(-1)
    except (ValueError, TypeError) as odd:
        raise DataError("Sample weights must be numbers.", received=str(odd)) from odd
    if len(weights) != rows:
        raise DataError(
            "There must be one sample weight per row.", received=f"{len(weights)} weights for {rows} rows"
        )
    bad = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(bad):
        raise DataError(
            "Sample weights must be finite and not negative.",
            received=f"{of}index {bad[0]}: {weights[bad[0]]}",
        )
    if not weights.any():
        raise DataError("Sample weights must not all be zero.", received=f"{rows} zeros")
    return weights
