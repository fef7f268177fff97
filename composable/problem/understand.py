"""From a table and its targets to the problem: the kind of each, why, and the flag that overrules it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from composable.core.errors import ConfigError, DataError
from composable.data.frames import column_of
from composable.data.schema import Column, Notice, Schema
from composable.problem.kinds import KINDS, kind_of
from composable.problem.kinds.target_kind import Notify
from composable.problem.metrics import RELATIVE, fitting, metric_named
from composable.problem.problem import Head, HeadKind, Problem
from composable.problem.target_columns import ObservedTarget, labels_as_numbers
from composable.problem.targets import target_missing

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
