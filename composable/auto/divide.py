"""How the rows of a fit are divided, as its options say; rows that repeat each other stay together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.util import hash_pandas_object

from composable.auto.options import Duplicates, FitOptions
from composable.core.errors import DataError
from composable.core.seeds import derive
from composable.data.images.column import contents
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
_DISAGREEING = 0.05  # of the repeated combinations


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


def copies(
    table: Table, schema: Schema, targets: Sequence[np.ndarray], wanted: Duplicates | None, notify: Notify
) -> np.ndarray:
    """A number per row, equal for rows that must lie in one part.

    Equal features may be one row that was written down twice: then a model that is scored by a row that it
    has learned looks better than it is. Or they are what rows of such a table are often like: then future
    rows repeat these as well, and kept together they would leave nothing but unseen combinations to test on.
    They are the latter where they make most of the rows, or where the same combination has different answers;
    an image shown twice is always a copy.

    Args:
        table: The rows.
        schema: Determines which columns are features.
        targets: Per head; empty where they aren't known yet.
        wanted: What the user decides.
        notify: Is called with a notice of the choice, where there is one.
    """
    features = contents(table.frame, table.sources).loc[:, list(schema.feature_columns)]
    found, sizes = np.unique(row_hashes(features), return_inverse=True, return_counts=True)[1:]
    if len(sizes) == len(found):
        return found
    repeat = f"{len(found) - len(sizes)} rows repeat the features of an earlier row"
    if wanted == "apart":
        notify(Notice(f"{repeat}; they are dealt like all others."))
        return np.arange(len(found))
    reason = ""
    if wanted is None and not any(kind.is_unique for kind in map(kind_reading, schema.features) if kind):
        reason = _observations(found, sizes, targets)
    if not reason:
        return found
    text = (
        f"{repeat}: {reason}. They are taken as observations of their own, which may lie in different parts."
    )
    notify(Notice(text, remedy="--duplicates together takes them for copies of one row"))
    return np.arange(len(found))


def _observations(found: np.ndarray, sizes: np.ndarray, targets: Sequence[np.ndarray]) -> str:
    """What shows that equal rows are observations of their own, or ""."""
    if 2 * len(sizes) < len(found):
        return f"{len(found)} rows have only {len(sizes)} different combinations"
    if not targets:
        return ""
    some = np.flatnonzero(sizes[found] > 1)
    answers = pd.DataFrame(np.column_stack([y[some].reshape(len(some), -1) for y in targets]))
    disagreeing = (answers.groupby(found[some]).nunique() > 1).any(axis=1)
    if disagreeing.mean() < _DISAGREEING:
        return ""
    return f"of {len(disagreeing)} repeated combinations {disagreeing.sum()} have different answers"


def copies_notice(split: Split) -> Notice:
    """How copies lie in a split that has some."""
    repeated = f"{split.duplicates} rows repeat the features of an earlier row"
    if not split.leaked:
        remedy = "--duplicates apart deals them like all others, if future rows repeat these as well"
        return Notice(f"{repeated}; copies stay in one part.", remedy=remedy)
    return Notice(
        f"{repeated}; {split.leaked} held-out rows have a copy among the training rows: "
        "scores may be too good.",
        "warning",
        remedy="--split random keeps copies together",
    )


def notify_of_shared(table: Table, own: Table, schema: Schema, notify: Notify) -> None:
    """Warn of rows of the user's own test file that are training rows as well."""
    names = [*schema.feature_columns, *(column.name for column in schema.targets)]
    learned, own_hashes = (
        row_hashes(contents(one.frame, one.sources).loc[:, names].astype("str")) for one in (table, own)
    )
    shared = int(np.isin(own_hashes, learned).sum())
    if shared:
        notify(
            Notice(
                f"{shared} of {len(own.frame)} test rows are also training rows: the test score is too good.",
                "warning",
                remedy="take them out of one of the files",
            )
        )


def row_hashes(frame: pd.DataFrame) -> np.ndarray:
    """A 64-bit hash of each row, shape (n,)."""
    return hash_pandas_object(frame, index=False).to_numpy()  # type: ignore[operator] (pandas.util imports late)
