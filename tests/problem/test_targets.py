"""Targets to arrays and labels to numbers, whatever way they are written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from composable.core.errors import DataError
from composable.data.schema import Column, Schema
from composable.data.table import Table
from composable.problem.problem import Head, Problem
from composable.problem.target_columns import label_text
from composable.problem.targets import encode_targets, target_missing


def encoded(values, *, kind, head, **column):
    schema = Schema((Column("y", kind, "target", **column),))
    frame = pd.DataFrame({"y": values})
    return encode_targets(Table(frame, "cars.csv", ""), schema, Problem((head,), "rmse"))[0][:, 0].tolist()


def classes(*labels):
    return Head("y", "binary" if len(labels) == 2 else "multiclass", ("y",), labels)


AMOUNT = Head("y", "regression", ("y",))


@pytest.mark.parametrize(
    ("labels", "text"),
    [((1, 1.0, "1", " 1.0 ", np.int64(1)), "1"), ((True, "True"), "True"), (("01",), "01"), ((0.5,), "0.5")],
)
def test_one_spelling_for_each_label(labels, text):
    assert {label_text(label) for label in labels} == {text}


@pytest.mark.parametrize("values", [["1", "0"], [1, 0], [1.0, 0.0], [" 1 ", "0.0"]], ids=repr)
def test_a_class_is_found_however_its_number_is_written(values):
    assert encoded(values, kind="number", head=classes(0, 1)) == [1, 0]


def test_truth_values_are_found_from_python_and_from_a_file():
    assert encoded([True, False], kind="boolean", head=classes(False, True)) == [1, 0]
    assert encoded(["True", "False"], kind="boolean", head=classes(False, True)) == [1, 0]


def test_an_unknown_class_is_named_with_its_row():
    with pytest.raises(DataError) as refused:
        encoded(["a", "c"], kind="category", head=classes("a", "b"))
    assert refused.value.received == "cars.csv, row 2: 'c'"
    assert "'a', 'b'" in refused.value.remedy


def test_amounts_are_read_as_the_schema_says():
    assert encoded(["1.234,5", "7"], kind="number", head=AMOUNT, decimal=",", thousands=".") == [1234.5, 7.0]


def test_classes_1_and_2_can_be_amounts():
    values = pd.Categorical([1, 2])
    assert encoded(values, kind="category", head=AMOUNT) == [1.0, 2.0]


def test_a_cell_that_is_no_number_is_named_with_its_row():
    with pytest.raises(DataError, match="row 2: 'much'"):
        encoded(["1", "much"], kind="number", head=AMOUNT)


def test_labels_of_one_head_lie_side_by_side():
    head = Head("a+b", "multilabel", ("a", "b"), ("no", "yes"))
    schema = Schema((Column("a", "boolean", "target"), Column("b", "boolean", "target")))
    frame = pd.DataFrame({"a": ["yes", "no"], "b": ["no", "no"]})
    (found,) = encode_targets(Table(frame, "", ""), schema, Problem((head,), "roc_auc"))
    assert found.tolist() == [[1, 0], [0, 0]]


def test_empty_and_infinite_targets_are_missing():
    schema = Schema((Column("y", "number", "target"), Column("c", "category", "target", missing=("-",))))
    frame = pd.DataFrame({"y": ["1", "", "inf", "4"], "c": ["a", "a", "a", "-"]})
    assert target_missing(frame, schema, ("y", "c")).tolist() == [
        [False, False], [True, False], [True, False], [False, True],
    ]  # fmt: skip
    assert target_missing(frame, schema, ("c",)).tolist() == [[False], [False], [False], [True]]
