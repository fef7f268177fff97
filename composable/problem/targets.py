"""The targets of a table: which problem they pose, which rows have them, and their values as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from composable.core.errors import ConfigError, DataError
from composable.data.encoding import Encoding
from composable.data.frames import column_of
from composable.data.infer import check_targets
from composable.data.kinds import parsed
from composable.data.kinds.kind import Cells
from composable.data.schema import Column, Notice, Schema
from composable.data.table import Table
from composable.problem.kinds import KINDS, kind_of
from composable.problem.kinds.target_kind import Notify
from composable.problem.metrics import RELATIVE, fitting, metric_named
from composable.problem.problem import Head, HeadKind, Problem
from composable.problem.target_columns import ObservedTarget, labels_as_numbers

FEWEST_ROWS = 10


def understand(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    problem: HeadKind | None = None,
    metric: str | None = None,
    from_text: bool = False,
) -> Problem:
    """The heads, their labels and the metric, from the target columns of `schema`.

    Args:
        frame: Raw rows, each with a value in some target.
        schema: Determines which columns are targets and how they are read.
        problem: Overrules the inferred kind of every target; `multilabel` joins them into one head.
        metric: Overrules the metric.
        from_text: Whether the rows come from a text file, so that labels written as numbers are numbers.

    Raises:
        DataError: If a target has too few rows, one class only, one number only, or too many classes.
        ConfigError: If the wanted problem or metric doesn't fit the targets.
    """
    notices: list[Notice] = []
    columns = schema.targets
    observed = [ObservedTarget(column, _values(frame, schema, column.name)) for column in columns]
    if problem:
        heads = KINDS[problem].pose(observed, notices.append)
    else:
        heads = tuple(head for target in observed for head in _recognized(target, notices.append))
    if from_text:
        heads = tuple(replace(head, labels=labels_as_numbers(head.labels)) for head in heads)
    chosen = _metric(heads, metric)
    for head, target in zip(heads, observed, strict=False):
        if not head.labels:
            _check_domain(chosen, target.numbers, target.column)
    return Problem(heads, chosen, tuple(notices))


def _values(frame: pd.DataFrame, schema: Schema, target: str) -> pd.Series:
    """The values of a target in the rows that have one."""
    values = column_of(frame, target).loc[~target_missing(frame, schema, (target,))[:, 0]]
    if len(values) < FEWEST_ROWS:
        raise DataError(
            f"At least {FEWEST_ROWS} rows with a target are needed to train and to check a model.",
            received=f"{len(values)} rows with a value in {target!r}",
            remedy=f"bring more rows, or leave {target!r} out",
        )
    return values


def _recognized(target: ObservedTarget, notify: Notify) -> tuple[Head, ...]:
    """The heads of a target by the kind that its values are of."""
    for kind in KINDS.values():
        notices = None if kind.recognize is None else kind.recognize(target)
        if notices is not None:
            for notice in notices:
                notify(notice)
            return kind.pose([target], notify)
    raise ValueError(f"No kind takes {target.column.name!r}.")


def _metric(heads: tuple[Head, ...], wanted: str | None) -> str:
    if wanted is None:
        defaults = {head.kind: kind_of(head).default_metric for head in heads}
        if len(defaults) == 1:
            return defaults[heads[0].kind]
        return "log_loss" if all(head.labels for head in heads) else RELATIVE
    metric = metric_named(wanted)
    for head in heads:
        if head.kind not in metric.kinds:
            raise ConfigError(
                f"The metric {wanted!r} doesn't fit a {head.kind} target.",
                received=f"target {head.name!r}",
                remedy=f"one of {', '.join(fitting(head.kind))}",
            )
    return wanted


def _check_domain(metric: str, numbers: np.ndarray, column: Column) -> None:
    """Refuse a metric that the target's values don't define."""
    domain = metric_named(metric).domain
    outside = {"any": numbers != numbers, "not negative": numbers < 0, "not zero": numbers == 0}[domain]
    if outside.any():
        raise ConfigError(
            f"The metric {metric!r} is for targets that are {domain}.",
            received=f"{column.name!r}: {int(outside.sum())} of {len(numbers)} values are not, "
            f"such as {numbers[outside][0]:g}",
            remedy="--metric mae, or leave those rows out",
        )


def target_missing(frame: pd.DataFrame, schema: Schema, targets: Sequence[str]) -> np.ndarray:
    """Where a target column has no value, shape (n, targets)."""
    each = [pd.isna(parsed(Cells(schema.column(name), frame))) for name in targets]
    return np.stack(each, axis=1)


def have_targets(table: Table, schema: Schema, notify: Notify, *, drop: bool) -> np.ndarray:
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
