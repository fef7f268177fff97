"""From data and options to material: schema, splits, leaks, the user's own test file; without training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from composable.auto.options import FitOptions
from composable.auto.prepare import prepare, read, understand_table
from composable.core.errors import ConfigError, DataError
from composable.core.records import to_json
from composable.data.schema import SCHEMA_VERSION, Column, Schema


def prepared(data, target="price", **options):
    """The material, and what was said on the way."""
    notices = []
    options = FitOptions((target,), **options)
    understood = understand_table(read(data, options), options, notices.append)
    return prepare(understood, options, notices.append), " | ".join(notice.text for notice in notices)


@pytest.fixture
def frame(cars):
    return cars.drop(columns=["fast", "class", "red", "big"])


def test_the_persons_schema_wins(frame, tmp_path):
    schema = Schema(
        (Column("price", "number", "target"), Column("make", "category"), Column("size", "number", "drop"))
    )
    path = tmp_path / "schema.json"
    path.write_text(to_json(schema, format="schema", version=SCHEMA_VERSION))
    found, _ = prepared(frame, schema=str(path))
    assert [column.name for column in found.understood.schema.features] == ["make"]
    assert found.encoding.columns == ("make",)


def test_a_schema_that_is_not_there_is_refused(frame, tmp_path):
    with pytest.raises(DataError, match="schema file must be readable"):
        prepared(frame, schema=str(tmp_path / "absent.json"))


def test_dropped_columns_are_not_seen(frame):
    found, _ = prepared(frame, drop=("make",))
    assert found.encoding.columns == ("size", "sold on")


def test_a_dropped_column_must_be_there(frame):
    with pytest.raises(ConfigError, match="'meke'") as refused:
        prepared(frame, drop=("meke",))
    assert "'make'" in refused.value.remedy


def test_a_misspelled_target_names_the_nearest(frame):
    with pytest.raises(DataError, match="'prise'") as refused:
        prepared(frame, "prise")
    assert "'price'" in refused.value.remedy


def test_rows_without_a_target_are_counted_and_named(frame):
    frame.loc[[3, 7], "price"] = [np.nan, np.inf]
    with pytest.raises(DataError, match=r"2 of 80 rows have none in 'price', first rows 4, 8") as refused:
        prepared(frame)
    assert "--drop-missing-target" in refused.value.remedy
    found, notices = prepared(frame, drop_missing_target=True)
    assert len(found.material.targets[0]) == 78
    assert "2 rows without a target are left out" in notices


def test_a_target_without_any_value_is_refused(frame):
    with pytest.raises(DataError, match="80 of 80 rows"):
        prepared(frame.assign(price=np.nan))


def test_only_the_target_is_refused(frame):
    with pytest.raises(DataError, match="At least one column besides the target"):
        prepared(frame[["price"]])


def test_a_leak_is_refused_before_training_and_allowed_on_demand(frame):
    leaking = frame.assign(copy=frame["price"] * 2)
    with pytest.raises(DataError, match="'copy'"):
        prepared(leaking)
    _, notices = prepared(leaking, allow_leaks=True)
    assert "'copy' may give the target away" in notices


def test_copies_are_counted_and_stay_together(frame):
    twice = pd.concat([frame, frame], ignore_index=True)
    found, notices = prepared(twice)
    assert "80 rows repeat the features of an earlier row; copies stay in one part" in notices
    for fold in found.split.folds:
        assert set(fold.test % 80) & set(fold.train % 80) == set()


def test_where_most_rows_are_equal_they_are_observations_of_their_own(cars):
    """Two features with few values: parts of unseen combinations alone would say nothing."""
    found, notices = prepared(cars[["make", "red", "fast"]], "fast")
    assert "6 different combinations" in notices
    assert "copies stay" not in notices
    assert all(8 <= len(fold.held_out) <= 12 for fold in found.split.folds)


def test_equal_rows_with_different_answers_are_observations_of_their_own(frame):
    """One row written down twice would have the same answer."""
    again = frame.head(30).copy()
    again.loc[:3, "price"] += 1.0
    found, notices = prepared(pd.concat([frame, again], ignore_index=True))
    assert "30 rows repeat the features of an earlier row: of 30 repeated combinations 4 have" in notices
    assert any(
        set(fold.test % 80) & set(fold.train % 80)  # rows from 80 on repeat the first ones
        for fold in found.split.folds
    )
    again.loc[1:3, "price"] -= 1.0  # one in thirty may be a slip
    _, notices = prepared(pd.concat([frame, again], ignore_index=True))
    assert "copies stay in one part" in notices


def test_the_person_decides_about_equal_rows(frame):
    twice = pd.concat([frame, frame], ignore_index=True)
    found, notices = prepared(twice, duplicates="apart")
    assert "80 rows repeat the features of an earlier row; they are dealt like all others" in notices
    assert any(set(r.test % 80) & set(r.train % 80) for r in found.split.folds)
    twice.loc[80:, "price"] += 1.0
    found, notices = prepared(twice, duplicates="together")
    assert "copies stay in one part" in notices
    assert not any(set(r.test % 80) & set(r.train % 80) for r in found.split.folds)


def test_copies_that_the_persons_split_tears_apart_are_a_warning(frame):
    twice = pd.concat([frame.assign(part="train"), frame.assign(part="test")], ignore_index=True)
    _, notices = prepared(twice, split="column:part")
    assert "80 held-out rows have a copy among the training rows" in notices


def test_a_group_is_whole_and_no_feature(frame):
    owner = np.repeat(np.arange(10), 8)
    found, _ = prepared(frame.assign(owner=owner), split="group:owner")
    assert "owner" not in found.encoding.columns
    for fold in found.split.folds:
        assert set(owner[fold.test]) & set(owner[fold.train]) == set()


def test_the_time_column_orders_the_rows_and_stays_a_feature(frame):
    shuffled = frame.sample(frac=1, random_state=0, ignore_index=True)
    found, _ = prepared(shuffled, split="time:sold on")
    (fold,) = found.split.folds
    days = pd.to_datetime(shuffled["sold on"])
    assert days[fold.train].max() < days[fold.held_out].min() < days[fold.test].min()
    assert "sold on" in found.encoding.columns


def test_a_number_can_be_the_time(frame):
    found, _ = prepared(frame.assign(year=2000 + np.arange(80) // 8), split="time:year")
    assert found.split.folds[0].train.max() < found.split.folds[0].test.min()


@pytest.mark.parametrize("kind", [int, str])
def test_the_number_of_a_row_can_be_the_time(frame, kind):
    """As a feature it would be left out."""
    found, _ = prepared(frame.assign(step=np.arange(len(frame)).astype(kind)), split="time:step")
    np.testing.assert_array_equal(found.split.folds[0].train, np.arange(len(found.split.folds[0].train)))


def test_a_split_column_must_be_there(frame):
    with pytest.raises(DataError, match="'ownr'"):
        prepared(frame, split="group:ownr")


def test_a_split_whose_validation_rows_are_of_one_class_is_refused(cars):
    part = np.where(cars["fast"] == "yes", "train", "validation")
    part[:4] = "train"
    frame = cars[["size", "make", "fast"]].assign(part=part)
    with pytest.raises(DataError, match="at least two classes") as refused:
        prepared(frame, "fast", split="column:part")
    assert "--metric log_loss" in refused.value.remedy
    assert prepared(frame, "fast", split="column:part", metric="log_loss")


@pytest.fixture
def own_test(frame, tmp_path):
    """Write rows as the user's own test file."""

    def write(rows) -> str:
        rows.to_csv(tmp_path / "test.csv", index=False)
        return str(tmp_path / "test.csv")

    return write


def test_the_persons_test_rows_are_encoded_and_held_apart(frame, own_test):
    found, notices = prepared(frame.head(60), test=own_test(frame.tail(20)))
    assert len(found.own_targets[0]) == len(found.material.own_test["numbers"]) == 20
    assert not found.split.named_test
    assert "test rows are also training rows" not in notices


def test_the_test_file_is_read_once(frame, own_test):
    options = FitOptions(target=("price",), test=own_test(frame.tail(20)))
    understood = understand_table(read(frame.head(60), options), options, print)
    Path(options.test).unlink()
    assert len(prepare(understood, options, print).own_targets[0]) == 20


def test_test_rows_that_are_training_rows_are_counted(tmp_path, frame, own_test):
    Path(tmp_path / "train.csv").write_text(frame.head(60).to_csv(index=False))
    _, notices = prepared(str(tmp_path / "train.csv"), test=own_test(frame.tail(25)))
    assert "5 of 25 test rows are also training rows" in notices


def test_a_test_file_without_the_target_is_refused(frame, own_test):
    with pytest.raises(DataError, match="'price'"):
        prepared(frame, test=own_test(frame.drop(columns="price")))


def test_a_test_file_with_an_unknown_class_names_the_row(cars, own_test):
    frame = cars[["size", "make", "class"]]
    odd = frame.tail(5).assign(**{"class": ["low", "odd", "low", "mid", "high"]})
    with pytest.raises(DataError, match="row 2: 'odd'"):
        prepared(frame.head(70), "class", test=own_test(odd))


def test_the_split_follows_the_seed(frame):
    first, again, other = (prepared(frame, seed=seed)[0].split.folds[0].test for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("split", ["time:sold on", "column:part"])
def test_what_is_fitted_before_training_does_not_depend_on_test_rows(frame, split):
    """Other values in the test rows: the same tables."""
    frame = frame.assign(part=np.where(np.arange(80) < 60, "train", "test"))
    found, _ = prepared(frame, split=split)
    rows = found.split.folds[0].test
    changed = frame.copy()
    changed.loc[rows, "size"] = 1e6
    changed.loc[rows, "make"] = "other"
    changed.loc[rows, "price"] *= 3
    other, _ = prepared(changed, split=split)
    assert other.encoding == found.encoding
    assert np.array_equal(other.split.folds[0].train, found.split.folds[0].train)
