"""Which rows train, which decide when training stops, and which no network ever learns from.

The rows are dealt into folds. Each network learns from all folds but one and predicts that one: its
out-of-fold predictions. The deployed model averages the networks of the folds. A small part of the rows, or
those that the user names, is left out of all folds, so that what the average is worth on unseen rows is known
as well. Rows that are alike, or of one group, always stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from composable.core.errors import ConfigError, DataError
from composable.data.frames import column_of
from composable.data.table import Table

SMALL = 3000  # up to so many rows every fold is trained for every candidate
MEDIUM, MEDIUM_SCORED, LARGE_SCORED = 10_000, 4, 2  # with fewer rows two folds would score by too few
SMALL_FOLDS, LARGE_FOLDS = 8, 10
_UNSEEN, MOST_UNSEEN = 0.06, 1000  # the share, and the number, of the rows that no network learns from
_HELD_OUT = 0.15  # the share of the rows, twice, that a split by time holds out
PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}


@dataclass(frozen=True, eq=False)
class Fold:
    """Row numbers of one division.

    Attributes:
        train: The rows that a network learns from.
        held_out: The rows that its training stops by, and that it predicts.
        test: Rows that no network of any fold learns from or stops by; may be empty.
    """

    train: np.ndarray
    held_out: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Split:
    """All folds of a table.

    Attributes:
        kind: folds, time or column.
        folds: In the order in which they are trained.
        scored_folds: So many of them every candidate trains; the best goes on with the others as time allows.
        text: What was done, for the user.
        named_test: Whether the test rows are the user's, or the latest: then their score is a result.
        duplicates: Rows that repeat an earlier one.
        leaked: Held-out rows with a copy among the training rows; 0 unless groups, times or a column decide.
    """

    kind: str
    folds: tuple[Fold, ...]
    scored_folds: int
    text: str
    named_test: bool = False
    duplicates: int = 0
    leaked: int = 0

    @property
    def scored(self) -> tuple[Fold, ...]:
        """The folds that every candidate trains."""
        return self.folds[: self.scored_folds]

    @property
    def known(self) -> np.ndarray:
        """The numbers of the rows that some network learns from or stops by."""
        return np.unique(np.concatenate([np.concatenate([f.train, f.held_out]) for f in self.folds]))


def split_rows(
    frame: pd.DataFrame,
    wanted: str,
    *,
    strata: Sequence[np.ndarray],
    seed: int,
    has_test: bool,
    copies: np.ndarray,
    most_unseen: int = MOST_UNSEEN,
) -> Split:
    """Divide the rows.

    Args:
        frame: Raw rows.
        wanted: auto, random, stratified, group:COL, time:COL or column:COL.
        strata: One array of class numbers or amounts per head, NaN where a row has none. The first decides
            how rows are spread, among equal ones the next.
        seed: Decides the order.
        has_test: Whether the user brought test rows of their own; then times and columns hold out no others.
        copies: A number per row, equal for rows whose features are equal.
        most_unseen: How many rows are left out of all folds at most.

    Raises:
        ConfigError: If `wanted` isn't one of the above or names no column.
        DataError: If the rows can't be divided that way.
    """
    kind, _, name = wanted.partition(":")
    if kind not in ("auto", "random", "stratified", "group", "time", "column") or (name == "") != (
        kind in ("auto", "random", "stratified")
    ):
        raise ConfigError(
            "--split must be random, stratified, group:COL, time:COL or column:COL.", received=repr(wanted)
        )
    if kind == "time":
        split = _by_time(column_of(frame, name), has_test=has_test)
    elif kind == "column":
        split = _by_column(column_of(frame, name), strata, seed, copies, has_test=has_test)
    else:
        groups = pd.factorize(frame[name], use_na_sentinel=False)[0] if kind == "group" else copies
        order = np.zeros(len(frame)) if kind == "random" else _order(strata)
        split = _into_folds(groups, order, seed, kind, unseen=most_unseen)
    duplicates = len(copies) - len(np.unique(copies))
    return replace(split, duplicates=duplicates, leaked=_leaked(split.folds, copies))


def tested(table: Table) -> Table:
    """The rows of the part for testing, where the data have such a part; else all."""
    if table.part is None:
        return table
    test = table.frame[table.part].astype(str).str.lower().map(PARTS) == "test"
    return replace(table, frame=table.frame[test].reset_index(drop=True)) if test.any() else table


def _order(strata: Sequence[np.ndarray]) -> np.ndarray:
    """Where each row stands among all, from the lowest; rows without a value come last."""
    each = [np.asarray(one, "float64").reshape(len(one), -1)[:, :1] for one in strata]
    return np.unique(np.nan_to_num(np.concatenate(each, axis=1), nan=np.inf), axis=0, return_inverse=True)[1]


def _leaked(folds: Sequence[Fold], copies: np.ndarray) -> int:
    leaked = np.zeros(len(copies), bool)
    for fold in folds:
        held_out = np.concatenate([fold.held_out, fold.test])
        leaked[held_out] |= np.isin(copies[held_out], copies[fold.train])
    return int(leaked.sum())


def _into_folds(groups: np.ndarray, order: np.ndarray, seed: int, how: str, *, unseen: int) -> Split:
    count = SMALL_FOLDS if len(groups) <= SMALL else LARGE_FOLDS
    units = len(np.unique(groups))
    count = min(count, units - bool(unseen))
    if count < 2:
        raise DataError(
            "At least three different groups of rows are needed to train, to validate and to test.",
            received=f"{units} in {len(groups)} rows",
            remedy="another --split, --duplicates apart, or more rows",
        )
    test, groups_left = (
        _left_out(groups, order, seed, unseen) if unseen else (np.array([], int), np.arange(len(groups)))
    )
    dealt = _deal(groups[groups_left], order[groups_left], count, seed)
    parts = [groups_left[dealt == number] for number in range(count)]
    folds = tuple(
        Fold(
            np.sort(np.concatenate([rows for other, rows in enumerate(parts) if other != number])),
            held_out,
            test,
        )
        for number, held_out in enumerate(parts)
    )
    scored = count if len(groups) <= SMALL else MEDIUM_SCORED if len(groups) <= MEDIUM else LARGE_SCORED
    spread = (
        "at random" if how == "random" else "by whole groups" if how == "group" else "evenly over the target"
    )
    text = (
        f"The rows are dealt into {count} folds, {spread}. Each network learns from all folds but one, "
        "stops by that one, and predicts it"
        + (f". {len(test)} rows are kept from all, to see what their average is worth." if unseen else ".")
    )
    return Split("folds", folds, min(scored, count), text)


def _left_out(groups: np.ndarray, order: np.ndarray, seed: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows that no network learns from, a few whole groups, and the others."""
    share = min(_UNSEEN, most / len(groups))
    dealt = _deal(groups, order, max(3, min(round(1 / share), len(np.unique(groups)))), seed + 1)
    smallest = int(np.argmin(np.bincount(dealt)))  # one large group shall not be lost to learning
    return np.flatnonzero(dealt == smallest), np.flatnonzero(dealt != smallest)


def _deal(groups: np.ndarray, order: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """Give each group a fold: in the order of their target, dealt in shuffled rounds, large ones first."""
    rng = np.random.default_rng(seed)
    numbers, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    shuffled = rng.permutation(len(numbers))
    shuffled = shuffled[np.argsort(order[first[shuffled]], kind="stable")]
    shuffled = shuffled[np.argsort(-np.floor(np.log2(sizes[shuffled])), kind="stable")]
    of_group = np.empty(len(numbers), int)
    load = np.zeros(parts)
    for start in range(0, len(shuffled), parts):
        round_ = shuffled[start : start + parts]
        # The fullest parts get the smallest groups of the round; ties fall at random.
        emptiest = np.lexsort((rng.random(parts), load))[: len(round_)]
        for group, part_of in zip(round_[np.argsort(-sizes[round_], kind="stable")], emptiest, strict=True):
            of_group[group] = part_of
            load[part_of] += sizes[group]
    return of_group[np.searchsorted(numbers, groups)]


def _by_time(times: pd.Series, *, has_test: bool) -> Split:
    values = np.asarray(times, "float64")
    if np.isnan(values).any():
        row = int(np.flatnonzero(np.isnan(values))[0])
        raise DataError(
            "A split by time needs a time in every row.",
            received=f"row {row + 1} of {times.name!r} has none",
            remedy="fill it in, or choose another --split",
        )
    test_from = np.inf if has_test else np.quantile(values, 1 - _HELD_OUT, method="higher")
    earlier = values[values < test_from]
    validation_from = np.quantile(earlier, 1 - _HELD_OUT, method="higher") if len(earlier) else np.nan
    fold = Fold(
        np.flatnonzero(values < validation_from),
        np.flatnonzero((values >= validation_from) & (values < test_from)),
        np.flatnonzero(values >= test_from),
    )
    if min(len(fold.train), len(fold.held_out)) == 0:
        raise DataError(
            "A split by time needs several different times.",
            received=f"{len(np.unique(values))} in {times.name!r}",
            remedy="choose another --split",
        )
    text = f"In the order of {times.name!r}: the earliest rows train, later ones validate" + (
        "; your own file is the test." if has_test else ", the latest are the test."
    )
    return Split("time", (fold,), 1, text, named_test=not has_test)


def _by_column(
    values: pd.Series, strata: Sequence[np.ndarray], seed: int, copies: np.ndarray, *, has_test: bool
) -> Split:
    parts = values.astype(str).str.strip().str.lower().map(PARTS)
    if parts.isna().any():
        row = int(np.flatnonzero(parts.isna())[0])
        raise DataError(
            f"The column {values.name!r} must say train, validation or test in every row.",
            received=f"row {row + 1}: {values.iloc[row]!r}",
        )
    rows = {part: np.flatnonzero(parts == part) for part in ("train", "validation", "test")}
    if len(rows["train"]) == 0:
        raise DataError(
            f"The column {values.name!r} names no training rows.", received=str(parts.unique().tolist())
        )
    test = np.array([], int) if has_test else rows["test"]
    if len(rows["validation"]):
        folds = (Fold(rows["train"], rows["validation"], test),)
        return Split("column", folds, 1, f"As the column {values.name!r} says.", named_test=len(test) > 0)
    train = rows["train"]
    unseen = 0 if len(test) else MOST_UNSEEN
    inner = _into_folds(copies[train], _order(strata)[train], seed, "stratified", unseen=unseen)
    folds = tuple(
        Fold(train[f.train], train[f.held_out], test if len(test) else train[f.test]) for f in inner.folds
    )
    text = (
        f"As the column {values.name!r} says; validation rows are cut from its training rows, fold by fold."
    )
    return Split("column", folds, inner.scored_folds, text, named_test=len(test) > 0)
