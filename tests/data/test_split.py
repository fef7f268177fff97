"""Which rows train, validate and test: no row twice, no group torn, no future in the past."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composable.core.errors import ConfigError, DataError
from composable.data.split import (
    LARGE_FOLDS,
    LARGE_SCORED,
    MEDIUM,
    MEDIUM_SCORED,
    SMALL,
    SMALL_FOLDS,
    split_rows,
)

WANTED = ("auto", "random", "stratified", "group:g", "time:t", "column:part")


def divided(wanted="auto", *, rows=97, y=None, copies=None, has_test=False, seed=0, **columns):
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "g": random.integers(0, 20, rows),
            "t": random.permutation(rows).astype(float),
            "part": np.where(
                np.arange(rows) % 5 == 0, "test", np.where(np.arange(rows) % 5 == 1, "val", "train")
            ),
        }
    ).assign(**columns)
    y = np.arange(rows) % 3 if y is None else y
    copies = np.arange(rows) if copies is None else copies
    return split_rows(frame, wanted, strata=[np.asarray(y)], seed=seed, has_test=has_test, copies=copies)


def held_out(split):
    return [np.concatenate([fold.held_out, fold.test]) for fold in split.folds]


@pytest.mark.parametrize("has_test", [False, True])
@pytest.mark.parametrize("wanted", WANTED)
def test_the_parts_of_every_fold_share_no_row_and_leave_none_out(wanted, has_test):
    for fold in divided(wanted, has_test=has_test).folds:
        rows = np.concatenate([fold.train, fold.held_out, fold.test])
        assert len(np.unique(rows)) == len(rows)
        assert min(len(fold.train), len(fold.held_out)) > 0
        assert (len(fold.test) == 0) == (has_test and wanted[:4] in ("time", "colu"))
        if not (wanted.startswith("column") and has_test):  # there the column's test rows are left aside
            assert sorted(rows) == list(range(97))


@pytest.mark.parametrize("wanted", ["auto", "random", "stratified", "group:g"])
def test_each_row_is_held_out_once_but_those_that_no_network_sees(wanted):
    split = divided(wanted)
    unseen = split.folds[0].test
    assert sorted(np.concatenate([unseen, *(fold.held_out for fold in split.folds)])) == list(range(97))
    assert all(fold.test.tolist() == unseen.tolist() for fold in split.folds)
    assert all(len(fold.train) == 97 - len(unseen) - len(fold.held_out) for fold in split.folds)


@pytest.mark.parametrize(("rows", "expected"), [(100, 6), (1000, 59), (50_000, 1000)])
def test_few_rows_are_kept_from_all_networks(rows, expected):
    assert len(divided(rows=rows).folds[0].test) == pytest.approx(expected, abs=1)


def test_the_more_rows_the_fewer_folds_judge_a_candidate():
    small, medium, large = divided(rows=SMALL), divided(rows=SMALL + 1), divided(rows=MEDIUM + 1)
    assert (len(small.folds), small.scored_folds) == (SMALL_FOLDS, SMALL_FOLDS)
    assert (len(medium.folds), medium.scored_folds) == (LARGE_FOLDS, MEDIUM_SCORED)
    assert (len(large.folds), large.scored_folds) == (LARGE_FOLDS, LARGE_SCORED)


def test_classes_are_spread_evenly():
    y = np.array([0] * 64 + [1] * 24 + [2] * 8)
    for fold in divided("stratified", rows=96, y=y).folds:
        assert np.abs(np.bincount(y[fold.held_out], minlength=3) - [7.5, 2.8, 0.9]).max() < 1.5


def test_amounts_are_spread_evenly():
    y = np.random.default_rng(0).lognormal(sigma=2, size=800)
    means = [np.log(y[fold.held_out]).mean() for fold in divided("auto", rows=800, y=y).folds]
    at_random = [np.log(y[fold.held_out]).mean() for fold in divided("random", rows=800, y=y).folds]
    assert np.std(means) < 0.2 * np.std(at_random)


@pytest.mark.parametrize("wanted", ["auto", "stratified", "random"])
@pytest.mark.parametrize(
    "counts", [(30, 1), (9, 1), (8, 1, 1, 1), (4, 3, 2, 1), (1,) * 10, (200, 2, 1)], ids=str
)
def test_rare_classes_never_crash(counts, wanted):
    y = np.repeat(np.arange(len(counts)), counts)
    split = divided(wanted, rows=len(y), y=y)
    held_out = np.concatenate([split.folds[0].test, *(fold.held_out for fold in split.folds)])
    assert sorted(held_out) == list(range(len(y)))
    assert all(len(r.train) and len(r.held_out) and len(r.test) for r in split.folds)


@given(st.lists(st.integers(0, 6), min_size=10, max_size=60), st.integers(0, 99))
def test_copies_are_never_split(copies, seed):
    copies = np.array(copies)
    if len(np.unique(copies)) < 3:
        return
    for fold in divided(rows=len(copies), copies=copies, seed=seed).folds:
        parts = [set(copies[part]) for part in (fold.train, fold.held_out, fold.test)]
        assert sum(map(len, parts)) == len(set(copies))


def test_copies_are_counted():
    copies = np.array([0, 0, 0, 1, 1, *range(2, 22)])
    assert divided(rows=25, copies=copies).duplicates == 3
    assert divided(rows=25).duplicates == 0


@pytest.mark.parametrize("missing", [False, True])
def test_groups_are_never_split(missing):
    group = np.repeat([f"patient {i}" for i in range(12)], 8).astype(object)
    if missing:
        group[:5] = None  # rows without a group are one group
    for fold in divided("group:g", rows=96, g=group).folds:
        assert not set(group[fold.train]) & set(group[np.concatenate([fold.held_out, fold.test])])
        assert not set(group[fold.held_out]) & set(group[fold.test])


def test_copies_that_groups_tear_apart_are_counted():
    """Two groups hold the same rows: the groups stay whole, the copies can't."""
    copies = np.tile(np.arange(6), 4)
    split = divided("group:g", rows=24, g=np.repeat(np.arange(4), 6), copies=copies)
    assert split.leaked == 24
    assert divided("auto", rows=24, copies=np.repeat(np.arange(6), 4)).leaked == 0


def test_copies_that_a_column_tears_apart_are_counted():
    part = ["train"] * 10 + ["val"] * 5 + ["test"] * 5
    copies = np.array([*range(15), 0, 1, 17, 18, 19])
    split = divided("column:part", rows=20, part=part, copies=copies)
    assert (split.duplicates, split.leaked) == (2, 2)


def test_groups_of_very_different_size_are_balanced():
    sizes = [200, 100, 50, 50, *[10] * 40]
    group = np.repeat(np.arange(len(sizes)), sizes)
    split = divided("group:g", rows=800, g=group)
    sizes = sorted(len(fold.held_out) for fold in split.folds)
    assert sizes[0] >= 50
    assert sizes[-1] <= 250
    assert len(split.folds[0].test) <= 60


@pytest.mark.parametrize("has_test", [False, True])
def test_no_row_of_the_future_trains(has_test):
    times = np.random.default_rng(3).permutation(200).astype(float)
    split = divided("time:t", rows=200, t=times, has_test=has_test)
    (fold,) = split.folds
    assert split.scored_folds == 1
    assert times[fold.train].max() < times[fold.held_out].min()
    if not has_test:
        assert times[fold.held_out].max() < times[fold.test].min()
        assert len(fold.test) == 30


@pytest.mark.parametrize("has_test", [False, True])
@pytest.mark.parametrize("days", [3, 5, 11])
def test_rows_of_one_moment_stay_together(days, has_test):
    times = (np.arange(100) % days).astype(float)
    (fold,) = divided("time:t", rows=100, t=times, has_test=has_test).folds
    parts = [set(times[rows]) for rows in (fold.train, fold.held_out, fold.test)]
    assert sum(map(len, parts)) == days
    assert [bool(part) for part in parts] == [True, True, not has_test]


def test_most_rows_at_the_last_moment_still_leave_some_to_train():
    times = np.array([1.0] * 5 + [2.0] * 5 + [3.0] * 90)
    (fold,) = divided("time:t", rows=100, t=times).folds
    assert (len(fold.train), len(fold.held_out), len(fold.test)) == (5, 5, 90)


@pytest.mark.parametrize("times", [[1.0] * 20, [1.0] * 10 + [2.0] * 10])
def test_too_few_moments_are_refused(times):
    with pytest.raises(DataError, match="several different times"):
        divided("time:t", rows=20, t=times)


def test_a_row_without_a_time_is_named():
    with pytest.raises(DataError, match="row 8 of 't'"):
        divided("time:t", rows=20, t=[1.0] * 7 + [np.nan] + [2.0] * 12)


def test_a_column_of_the_persons_own_decides():
    (fold,) = divided("column:part", rows=10).folds
    assert fold.test.tolist() == [0, 5]
    assert fold.held_out.tolist() == [1, 6]


def test_however_a_part_is_spelled():
    part = [" Train ", "TRAINING", "train", "Valid", "dev", "validation", "val", "test", "Test", "train"]
    (fold,) = divided("column:part", rows=10, part=part).folds
    assert fold.train.tolist() == [0, 1, 2, 9]
    assert fold.held_out.tolist() == [3, 4, 5, 6]


def test_validation_rows_the_column_does_not_name_are_cut_from_the_training_rows():
    part = ["test"] * 10 + ["train"] * 40
    copies = np.array([*range(10), *(10 + np.arange(40) // 2)])
    split = divided("column:part", rows=50, part=part, copies=copies)
    assert split.scored_folds == len(split.folds) == SMALL_FOLDS
    assert sorted(np.concatenate([r.held_out for r in split.folds])) == list(range(10, 50))
    for fold in split.folds:
        assert fold.test.tolist() == list(range(10))
        assert not set(copies[fold.train]) & set(copies[fold.held_out])


def test_a_part_that_is_none_is_named_with_its_row():
    with pytest.raises(DataError, match="row 3: 'hold-out'"):
        divided("column:part", rows=10, part=["train", "test", "hold-out", *["train"] * 7])
    with pytest.raises(DataError, match="row 2"):
        divided("column:part", rows=10, part=["train", None, *["train"] * 8])


def test_a_column_without_training_rows_is_refused():
    with pytest.raises(DataError, match="no training rows"):
        divided("column:part", rows=10, part=["test"] * 10)


@pytest.mark.parametrize("wanted", ["auto", "random", "group:g"])
def test_the_same_seed_gives_the_same_parts_and_another_seed_others(wanted):
    first, second, other = (held_out(divided(wanted, seed=seed)) for seed in (4, 4, 5))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("wanted", ["by-hand", "group", "group:", "time", "random:g", ""])
def test_an_unknown_split_names_those_there_are(wanted):
    with pytest.raises(ConfigError, match="group:COL, time:COL or column:COL"):
        divided(wanted)


def test_too_few_different_rows_are_refused():
    with pytest.raises(DataError, match="three different groups"):
        divided("group:g", rows=20, g=[1] * 10 + [2] * 10)
