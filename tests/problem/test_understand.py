"""From targets to heads: the five designs of the seed's first chapter, and every odd target (D12-D17)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from composable.core.errors import ConfigError, DataError
from composable.core.records import from_json, to_json
from composable.data.infer import infer_schema
from composable.data.read import read_table
from composable.problem.kinds.classes import MOST_CLASSES
from composable.problem.problem import Problem
from composable.problem.targets import encode_targets, understand

ROWS = 60


def ask(data, *targets, problem=None, metric=None):
    """The problem that a table poses, as a fit sees it."""
    table = read_table(data)
    schema, _ = infer_schema(table, targets)
    from_text = table.format is not None
    return understand(table.frame, schema, problem=problem, metric=metric, from_text=from_text)


def column(*values):
    """A frame with a feature and the target `y`, whose values are repeated."""
    return pd.DataFrame({"x": np.arange(ROWS) % 7, "y": pd.Series([*values] * ROWS).head(ROWS)})


def written(tmp_path, *values):
    """The same as a CSV file, where every value is text."""
    path = tmp_path / "data.csv"
    rows = "\n".join(f"{i % 7},{values[i % len(values)]}" for i in range(ROWS))
    path.write_text(f"x,y\n{rows}\n")
    return path


def test_amounts_are_a_regression():
    (head,) = ask(column(1.5, 2.25, 0.125), "y").heads
    assert (head.kind, head.labels, head.width) == ("regression", (), 1)


def test_two_values_are_two_classes():
    (head,) = ask(column("no", "yes"), "y").heads
    assert (head.kind, head.labels, head.width) == ("binary", ("no", "yes"), 1)


def test_more_texts_are_many_classes():
    (head,) = ask(column("red", "green", "blue"), "y").heads
    assert (head.kind, head.labels, head.width) == ("multiclass", ("blue", "green", "red"), 3)


def test_several_labels_at_once_share_one_head():
    frame = column(0, 1).assign(z=lambda f: f["x"] % 2)
    problem = ask(frame, "y", "z", problem="multilabel")
    (head,) = problem.heads
    assert (head.kind, head.targets, head.labels, head.width) == ("multilabel", ("y", "z"), (0, 1), 2)
    assert problem.targets == ("y", "z")


def test_several_targets_get_a_head_each():
    frame = column("a", "b").assign(price=np.linspace(0.5, 9.3, ROWS))
    problem = ask(frame, "price", "y")
    assert {head.name: head.kind for head in problem.heads} == {"price": "regression", "y": "binary"}
    assert problem.metric == "relative_error"


@pytest.mark.parametrize(
    ("values", "metric"),
    [((0.5, 1.5, 2.5), "rmse"), (("a", "b"), "roc_auc"), (("a", "b", "c"), "log_loss")],
)
def test_each_kind_has_its_metric(values, metric):
    assert ask(column(*values), "y").metric == metric


def test_two_targets_of_classes_are_compared_by_log_loss():
    assert ask(column("a", "b").assign(z=["p", "q", "r"] * 20), "y", "z").metric == "log_loss"


def test_few_whole_numbers_are_classes_and_the_flag_that_overrules_it_is_named():
    problem = ask(column(1, 2, 3), "y")
    assert problem.heads[0].labels == (1, 2, 3)
    (notice,) = problem.notices
    assert "3 different" in notice.text
    assert "--problem regression" in notice.remedy
    assert ask(column(1, 2, 3), "y", problem="regression").heads[0].kind == "regression"


def test_many_whole_numbers_are_amounts_and_the_flag_that_overrules_it_is_named():
    problem = ask(column(*range(30)), "y")
    assert problem.heads[0].kind == "regression"
    assert "--problem multiclass" in problem.notices[0].remedy
    assert len(ask(column(*range(30)), "y", problem="multiclass").heads[0].labels) == 30


@pytest.mark.parametrize(
    "values",
    [(0, 1), (0.0, 1.0), (False, True), ("no", "yes"), (3, 1, 2), (0.0, 1.0, 2.0), (10, 9, 100), ("01", "1")],
    ids=repr,
)
def test_labels_keep_the_type_they_had(values):
    labels = ask(column(*values), "y", problem="multiclass").heads[0].labels
    assert sorted(map(repr, labels)) == sorted(map(repr, values))


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (("0", "1"), (0, 1)),
        (("0.0", "1.0"), (0.0, 1.0)),
        (("True", "False"), ("False", "True")),
        (("01", "02"), ("01", "02")),
        (("1", "2", "3+"), ("1", "2", "3+")),
    ],
)
def test_a_file_holds_text_and_plain_numbers_come_back_as_numbers(tmp_path, texts, labels):
    found = ask(written(tmp_path, *texts), "y", problem="multiclass").heads[0].labels
    assert [*map(repr, found)] == [*map(repr, labels)]


def test_digits_that_a_frame_holds_as_text_stay_text():
    assert ask(column("1", "2", "3"), "y", problem="multiclass").heads[0].labels == ("1", "2", "3")


def test_one_class_written_as_two_types_is_one_class():
    frame = column(0, 1, "1")
    frame["y"] = frame["y"].astype(object)
    problem = ask(frame, "y")
    assert problem.heads[0].kind == "binary"
    table = read_table(frame)
    schema, _ = infer_schema(table, ("y",))
    (codes,) = encode_targets(table, schema, problem)
    assert codes[:3, 0].tolist() == [0, 1, 1]


def test_nullable_and_category_types_are_restored_too():
    assert ask(column(True, False).astype({"y": "boolean"}), "y").heads[0].labels == (False, True)
    assert ask(column(4, 5, 6).astype({"y": "category"}), "y").heads[0].labels == (4, 5, 6)


def test_two_classes_asked_for_as_many_are_said_to_be_two():
    problem = ask(column("a", "b"), "y", problem="multiclass")
    assert problem.heads[0].kind == "binary"
    assert "two values" in problem.notices[0].text


def test_dates_as_classes_become_text_and_are_found_again():
    frame = column(*pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]))
    table = read_table(frame)
    schema, _ = infer_schema(table, ("y",))
    problem = understand(table.frame, schema)
    assert all(isinstance(label, str) for label in problem.heads[0].labels)
    (codes,) = encode_targets(table, schema, problem)
    assert set(codes[:, 0]) == {0, 1, 2}


def test_a_category_without_rows_is_no_class():
    frame = column("a", "b")
    frame["y"] = pd.Categorical(frame["y"], categories=["a", "b", "never"])
    assert ask(frame, "y").heads[0].labels == ("a", "b")


def test_a_class_with_one_row_is_kept_and_said():
    frame = column("a", "b")
    frame.loc[0, "y"] = "rare"
    problem = ask(frame, "y")
    assert problem.heads[0].labels == ("a", "b", "rare")
    assert any("one row only (first: 'rare')" in notice.text for notice in problem.notices)


@pytest.mark.parametrize("value", ["a", 3, 2.5, True])
def test_a_constant_target_is_refused(value):
    with pytest.raises(DataError, match="at least two different values"):
        ask(column(value), "y")


def test_a_constant_amount_is_refused_as_a_regression():
    with pytest.raises(DataError, match="at least two different values"):
        ask(column(3), "y", problem="regression")


def test_a_label_that_never_changes_is_named():
    with pytest.raises(DataError, match="'z' is always 1") as refused:
        ask(column(0, 1).assign(z=1), "y", "z", problem="multilabel")
    assert "--target z" in refused.value.remedy


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_too_few_rows_name_the_minimum(rows):
    with pytest.raises(DataError, match="At least 10 rows") as refused:
        ask(column(0.5, 1.5).head(rows), "y")
    assert str(rows) in refused.value.received


def test_too_many_classes_are_refused_with_the_way_out():
    frame = pd.DataFrame({"x": range(MOST_CLASSES + 1), "y": [f"c{i}" for i in range(MOST_CLASSES + 1)]})
    with pytest.raises(DataError, match=f"at most {MOST_CLASSES} classes") as refused:
        ask(frame, "y")
    assert "regression" in refused.value.remedy


def test_binary_needs_two_values():
    with pytest.raises(ConfigError, match="two values") as refused:
        ask(column("a", "b", "c"), "y", problem="binary")
    assert refused.value.remedy == "--problem multiclass"


def test_regression_needs_numbers():
    with pytest.raises(DataError, match="needs numbers") as refused:
        ask(column("a", "b", "c"), "y", problem="regression")
    assert "'a'" in refused.value.received


def test_labels_must_share_their_two_values():
    with pytest.raises(DataError, match="same two values"):
        ask(column(0, 1).assign(z=["yes", "no"] * 30), "y", "z", problem="multilabel")


def test_the_negative_label_comes_first_by_size_not_by_spelling():
    frame = column(2, 10).assign(z=[10, 2] * 30)
    assert ask(frame, "y", "z", problem="multilabel").heads[0].labels == (2, 10)


def test_a_metric_that_does_not_fit_names_those_that_do():
    with pytest.raises(ConfigError, match="'rmse' doesn't fit a binary target") as refused:
        ask(column("a", "b"), "y", metric="rmse")
    assert "roc_auc" in refused.value.remedy
    assert ask(column("a", "b"), "y", metric="accuracy").metric == "accuracy"


def test_a_problem_survives_json_with_the_types_of_its_labels():
    problem = ask(column(True, False).assign(z=[1.0, 2.0, 3.0] * 20, w=["p", "q"] * 30), "y", "z", "w")
    back = from_json(Problem, to_json(problem, format="problem"), format="problem", origin="here")
    assert [[*map(repr, head.labels)] for head in back.heads] == [
        [*map(repr, head.labels)] for head in problem.heads
    ]


@pytest.mark.parametrize("metric", ["r2", "quantile:0.9"])
def test_every_metric_of_numbers_may_select(metric):
    assert ask(column(*range(30)), "y", problem="regression", metric=metric).metric == metric


@pytest.mark.parametrize(("metric", "value"), [("mape", 0), ("rmsle", -1)])
def test_a_metric_that_the_targets_do_not_define_is_refused(metric, value):
    with pytest.raises(ConfigError, match=f"such as {value}"):
        ask(column(value, *range(1, 30)), "y", problem="regression", metric=metric)
