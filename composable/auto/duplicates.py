"""Rows with equal features: whether they are copies of one row or observations of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from pandas.util import hash_pandas_object

from composable.auto.options import Duplicates
from composable.data.images.column import contents
from composable.data.kinds import kind_reading
from composable.data.schema import Notice, Schema
from composable.data.split import Split
from composable.data.table import Table

_DISAGREEING = 0.05  # of the repeated combinations
Notify = Callable[[Notice], None]


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
