"""The profile: complete, bounded, and plain JSON."""

import json

import numpy as np
import pandas as pd

from composable.data.infer import infer_schema
from composable.data.profile import DETAILED_COLUMNS, profile
from composable.data.read import read_table

KEYS = {
    "name", "kind", "role", "reason", "missing", "distinct", "examples", "top",
    "minimum", "maximum", "mean", "median", "histogram", "warnings",
}  # fmt: skip


def profiled(frame: pd.DataFrame) -> dict:
    table = read_table(frame)
    content = profile(table, infer_schema(table)[0])
    return json.loads(json.dumps(content, allow_nan=False))


def test_numbers_and_categories_are_described():
    content = profiled(
        pd.DataFrame({"n": ["1", "2.5", "?", "4"] * 3 + ["1e400"], "c": ["u", "v", None, "u"] * 3 + ["u"]})
    )
    number, category = content["columns"]
    assert set(number) == set(category) == KEYS
    assert (content["rows"], content["duplicates"]) == (13, 8)
    assert (number["missing"], number["distinct"]) == (4, 3)
    assert (number["minimum"], number["maximum"], number["mean"], number["median"]) == (1.0, 4.0, 2.5, 2.5)
    assert sum(number["histogram"]["counts"]) == 9
    assert len(number["histogram"]["edges"]) == len(number["histogram"]["counts"]) + 1
    assert category["top"] == [["u", 7], ["v", 3]]
    assert category["missing"] == 3
    assert category["examples"] == ["u", "v"]


def test_dates_have_a_histogram_in_days():
    (date,) = profiled(pd.DataFrame({"d": pd.date_range("2000-01-01", periods=10)}))["columns"]
    assert (date["kind"], date["minimum"], date["maximum"]) == ("date", 0.0, 9.0)
    assert date["histogram"]["edges"][0] == 0.0
    assert date["examples"][0].startswith("2000-01-01")


def test_texts_are_cut_and_wide_tables_are_outlined():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(2, DETAILED_COLUMNS + 1)))
    frame.insert(0, "long", ["<b>" + "x" * 1000, "y"])
    columns = profiled(frame)["columns"]
    assert len(columns) == DETAILED_COLUMNS + 2
    assert max(len(text) for text, _ in columns[0]["top"]) == 80
    assert columns[DETAILED_COLUMNS - 1]["histogram"] is not None
    assert columns[-1]["histogram"] is None
    assert "2,000" in columns[-1]["warnings"][0]
    assert set(columns[-1]) == KEYS


def test_extreme_numbers_stay_finite():
    for values in ([1e308, -1e308, 1.0], [5e-324, 0.0, 1e-320], [1e300, 1e300 * (1 + 1e-15), 2e300]):
        (number,) = profiled(pd.DataFrame({"x": values}))["columns"]
        assert sum(number["histogram"]["counts"]) == 3


def test_mostly_missing_columns_are_warned_about():
    (column,) = profiled(pd.DataFrame({"x": [1.0, 2.0] + [None] * 8}))["columns"]
    assert column["warnings"] == ["80% of the values are missing"]


def test_duplicate_rows_are_counted_whatever_the_types():
    frame = pd.DataFrame(
        {"a": ["x", None, "x"], "b": pd.Categorical(["u", "v", "u"]), "c": [1.0, np.nan, 1.0]}
    )
    assert profiled(frame)["duplicates"] == 1
    assert profiled(frame.rename(columns={"a": "b", "b": "a"}).iloc[:2])["duplicates"] == 0
