"""How the rows of a fit are divided, as its options say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from composable.auto.duplicates import copies, copies_notice
from composable.auto.options import FitOptions
from composable.core.errors import DataError
from composable.core.seeds import derive
from composable.data.infer import check_targets
from composable.data.kinds import kind_reading, parsed
from composable.data.kinds.kind import Cells
from composable.data.schema import Column, Notice, Schema
from composable.data.split import MOST_UNSEEN, Split, split_rows
from composable.data.table import Table
from composable.problem.problem import Problem
from composable.problem.scores import constant_predictor, selection_score

_MOST_UNSEEN_OF_FILE = 10_000  # rows, as they decide whether learning from the whole file pays
Notify = Callable[[Notice], None]


def divide(
    table: Table,
    schema: Schema,
    strata: Sequence[np.ndarray],
    options: FitOptions,
    notify: Notify,
    *,
    has_test: bool,
    costly: bool,
) -> Split:
    """Divide the rows of a table.

    Args:
        table: The rows.
        schema: Of their columns.
        strata: Per head, by what rows are spread over the folds.
        options: Of the fit.
        notify: Is called with a notice of rows that repeat each other.
        has_test: Whether the user brought test rows of their own.
        costly: Whether a network takes so long to train that every candidate trains one.

    Raises:
        DataError, ConfigError: If the rows can't be divided as wanted.
    """
    split = split_rows(
        _split_frame(table, schema, options.split),
        options.split,
        strata=strata,
        seed=derive(options.seed, "split"),
        has_test=has_test,
        copies=copies(table, schema, strata, options.duplicates, notify),
        most_unseen=MOST_UNSEEN if table.sample is None else _MOST_UNSEEN_OF_FILE,
    )
    if costly:
        split = replace(split, scored_folds=1)
    if split.duplicates:
        notify(copies_notice(split))
    return split


def _split_frame(table: Table, schema: Schema, wanted: str) -> pd.DataFrame:
    """The frame in which `split_rows` looks: the time column as numbers.

    Raises:
        DataError: If the column isn't there.
    """
    kind, _, name = wanted.partition(":")
    if not name:
        return table.frame
    check_targets(table, (name,))
    if kind != "time":
        return table.frame
    column = schema.column(name)
    if not ((found := kind_reading(column)) and found.is_ordered):
        numbers = np.asarray(pd.to_numeric(table.frame[name], errors="coerce"), "float64")
        column = Column(name, "date", date_format="ISO8601")
        if not np.isnan(numbers).any():  # row numbers, which are no feature
            column = Column(name, "number")
    times = parsed(Cells(column, table.frame, origin=table.origin, strict=True))
    return table.frame.assign(**{name: times})


def check_rows(split: Split, problem: Problem, targets: tuple[np.ndarray, ...]) -> None:
    """Refuse a split in which a target can't be learned, or doesn't define the metric that selects."""
    rows = np.unique(np.concatenate([fold.held_out for fold in split.folds[: split.scored_folds]]))
    values = np.concatenate(targets, axis=1)
    for part, those in (*(("training", fold.train) for fold in split.folds), ("validation", rows)):
        if (empty := np.isnan(values[those]).all(axis=0)).any():
            raise DataError(
                "Every target needs a value in some training rows and in some validation rows.",
                received=f"{len(those)} {part} rows, none with {problem.targets[int(empty.argmax())]!r}",
                remedy="choose another --split",
            )
    observed = [y[rows] for y in targets]
    constant = constant_predictor(problem.heads, targets, len(rows))
    if np.isnan(selection_score(problem, observed, constant, constant)):
        raise DataError(
            f"The metric {problem.metric} needs validation rows of at least two classes.",
            received=f"{len(rows)} validation rows of one class",
            remedy="choose another --split, or --metric log_loss",
        )
