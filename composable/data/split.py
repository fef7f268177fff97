"""Which rows train, which decide when to stop and which model is best, which are kept for the score.

A fold is one such division. With rotating folds every row is, in turn, a test row of a network that
neither learned from it nor stopped by it; the deployed model averages the networks. Rows that are alike, or
of one group, always stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from composable.core.errors import ConfigError, DataError
from composable.data.frames import column_of
from composable.data.table import Table

SMALL = 3000  # up to so many rows every fold is trained
MEDIUM, MEDIUM_NEEDED, LARGE_NEEDED = 10_000, 4, 2  # with fewer rows two would judge by too few
SMALL_FOLDS, LARGE_FOLDS = 8, 10
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
    """Row numbers of one division into training, validation and test rows (test may be empty)."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Split:
    """All folds of a table.

    Attributes:
        kind: rotating, time or column.
        folds: In the order in which they are trained.
        scored_folds: So many folds every candidate trains; the best goes on with the others as time allows.
        text: What was done, for the user.
        duplicates: Rows that repeat an earlier one.
        torn: Held-out rows with a copy among the training rows; 0 unless groups, times or a column decide.
    """

    kind: str
    folds: tuple[Fold, ...]
    scored_folds: int
    text: str
    duplicates: int = 0
    torn: int = 0


def split_rows(
    frame: pd.DataFrame,
    wanted: str,
    *,
    strata: Sequence[np.ndarray],
    seed: int,
    has_test: bool,
    copies: np.ndarray,
    costly: bool = False,
) -> Split:
    """Divide the rows.

    Args:
        frame: Raw rows.
        wanted: auto, random, stratified, group:COL, time:COL or column:COL.
        strata: One array of class numbers or amounts per head; the first decides how rows are spread.
        seed: Decides the order.
        has_test: Whether the user brought test rows of their own; then no others are held out.
        copies: A number per row, equal for rows whose features are equal.
        costly: Whether a network takes so long to train that every candidate trains one.

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
        split = _rotating(groups, order, seed, kind, has_test=has_test)
    duplicates = len(copies) - len(np.unique(copies))
    scored_folds = 1 if costly else split.scored_folds
    return replace(split, scored_folds=scored_folds, duplicates=duplicates, torn=_torn(split.folds, copies))


def tested(table: Table) -> Table:
    """The rows of the part for testing, where the data have such a part; else all."""
    if table.part is None:
        return table
    test = table.frame[table.part].astype(str).str.lower().map(PARTS) == "test"
    return replace(table, frame=table.frame[test].reset_index(drop=True)) if test.any() else table


def _order(strata: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(strata[0], "float64").reshape(len(strata[0]), -1)[:, 0]


def _torn(folds: Sequence[Fold], copies: np.ndarray) -> int:
    torn = np.zeros(len(copies), bool)
    for fold in folds:
        held_out = np.concatenate([fold.validation, fold.test])
        torn[held_out] |= np.isin(copies[held_out], copies[fold.train])
    return int(torn.sum())


def _rotating(groups: np.ndarray, order: np.ndarray, seed: int, how: str, *, has_test: bool) -> Split:
    parts = SMALL_FOLDS if len(groups) <= SMALL else LARGE_FOLDS
    units = len(np.unique(groups))
    parts = min(parts, units)
    if parts < 3:
        raise DataError(
            "At least three different groups of rows are needed to train, to validate and to test.",
            received=f"{units} in {len(groups)} rows",
            remedy="another --split, --duplicates apart, or more rows",
        )
    part_of = _deal(groups, order, parts, seed)
    rows = [np.flatnonzero(part_of == number) for number in range(parts)]
    folds = []
    for number in range(parts):
        held_out = {number} if has_test else {number, (number + 1) % parts}
        train = np.concatenate([rows[other] for other in range(parts) if other not in held_out])
        test = np.array([], int) if has_test else rows[number]
        validation = rows[number] if has_test else rows[(number + 1) % parts]
        folds.append(Fold(np.sort(train), validation, test))
    scored_folds = parts if len(groups) <= SMALL else MEDIUM_NEEDED if len(groups) <= MEDIUM else LARGE_NEEDED
    spread = (
        "at random" if how == "random" else "by whole groups" if how == "group" else "evenly over the target"
    )
    text = (
        f"The rows are dealt into {parts} parts, {spread}. Each network learns from "
        f"{parts - 1 if has_test else parts - 2} parts and stops by another"
        + ("; your own file is the test." if has_test else "; the last is its test. The parts rotate.")
    )
    return Split("rotating", tuple(folds), scored_folds, text)


def _deal(groups: np.ndarray, order: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """Give each group a part_of: in the order of their target, dealt in shuffled rounds, large ones first."""
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
    if min(len(fold.train), len(fold.validation)) == 0:
        raise DataError(
            "A split by time needs several different times.",
            received=f"{len(np.unique(values))} in {times.name!r}",
            remedy="choose another --split",
        )
    text = f"In the order of {times.name!r}: the earliest rows train, later ones validate" + (
        "; your own file is the test." if has_test else ", the latest are the test."
    )
    return Split("time", (fold,), 1, text)


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
        return Split("column", folds, 1, f"As the column {values.name!r} says.")
    train = rows["train"]
    inner = _rotating(copies[train], _order(strata)[train], seed, "stratified", has_test=True)
    folds = tuple(Fold(train[r.train], train[r.validation], test) for r in inner.folds)
    text = f"As the column {values.name!r} says; validation rows are cut from the training rows, in fold."
    return Split("column", folds, inner.scored_folds, text)
