"""Frames, arrays, mappings, Parquet: every type works or is refused; the input is never changed."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from composable.core.errors import DataError
from composable.data.read import read_table

DAYS = pd.to_datetime(["2020-01-01", None, "2021-06-30"])

COLUMNS = {
    "nullable integer": (pd.array([1, None, 3], dtype="Int64"), "Int64"),
    "nullable float": (pd.array([1.5, None, 3.0], dtype="Float64"), "Float64"),
    "nullable boolean": (pd.array([True, None, False], dtype="boolean"), "boolean"),
    "text": (pd.array(["a", None, "b"], dtype="str"), "str"),
    "old text": (pd.array(["a", None, "b"], dtype="string"), "str"),
    "categorical": (pd.Categorical(["a", None, "b"]), "category"),
    "sparse": (pd.arrays.SparseArray([0.0, 0.0, 1.0]), "float64"),
    "dates": (DAYS, "datetime64[us]"),
    "zoned dates": (DAYS.tz_localize("Europe/Zurich"), "datetime64[us, Europe/Zurich]"),
    "periods": (pd.PeriodIndex(["2020-01", "2020-02", "2020-03"], freq="M"), "datetime64[us]"),
    "intervals": (pd.IntervalIndex.from_breaks([0, 1, 2, 3]), "str"),
    "half floats": (np.array([1, 2, np.inf], dtype="float16"), "float64"),
    "objects: text": (np.array(["a", None, "b"], dtype=object), "str"),
    "objects: mixed": (np.array([1, "1", None], dtype=object), "str"),
    "objects: mixed with infinity": (np.array([float("inf"), "1", None], dtype=object), "str"),
    "objects: whole": (np.array([1, None, 3], dtype=object), "Int64"),
    "objects: booleans": (np.array([True, None, False], dtype=object), "boolean"),
    "objects: decimals": (
        np.array([decimal.Decimal("1.5"), None, decimal.Decimal(2)], dtype=object),
        "float64",
    ),
    "objects: days": (
        np.array([dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)], dtype=object),
        "datetime64[us]",
    ),
    "objects: huge": (np.array([10**30, 1, 2], dtype=object), "str"),
    "arrow decimal": (
        pd.array([decimal.Decimal("1.5"), None, 2], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
        "float64",
    ),
}


@pytest.mark.parametrize(("values", "kind"), COLUMNS.values(), ids=COLUMNS)
def test_frame_types_work(values, kind):
    frame = pd.DataFrame({"x": values}, index=[7, 7, 8])
    before = frame.copy(deep=True)
    table = read_table(frame)
    assert str(table.frame["x"].dtype).replace("[ns", "[us").replace("[s", "[us") == kind
    assert list(table.frame.index) == [0, 1, 2]
    assert list(table.frame["x"].isna()) == list(before["x"].isna())
    pd.testing.assert_frame_equal(frame, before)


def test_time_spans_become_days():
    table = read_table(pd.DataFrame({"x": pd.to_timedelta(["1D", "36h"])}))
    assert table.frame["x"].tolist() == [1.0, 1.5]


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, b"x", np.array([1, 2]), 1j], ids=repr)
def test_cells_of_many_values_are_refused_with_column_and_row(value):
    column = pd.Series([1, value], dtype=object)
    with pytest.raises(DataError, match=r"column 'x', row 2"):
        read_table(pd.DataFrame({"x": column}))


def test_name_levels_and_equal_names_are_refused():
    with pytest.raises(DataError, match="one level"):
        read_table(pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])))
    with pytest.raises(DataError, match="'a' at columns 1, 2"):
        read_table(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert list(read_table(pd.DataFrame([[1, 2]])).frame.columns) == ["0", "1"]


def test_too_many_columns_are_refused_with_the_limit():
    with pytest.raises(DataError, match=r"20,000 columns.*\n.*20,001 columns"):
        read_table(np.zeros((1, 20_001)))


def test_arrays_become_columns_and_stay_unchanged():
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    before = array.copy()
    table = read_table(array)
    assert list(table.frame.columns) == ["x0", "x1"]
    table.frame.iloc[0, 0] = 99.0
    np.testing.assert_array_equal(array, before)
    mixed = read_table(np.array([[1, "a"], [2.5, None]], dtype=object)).frame
    assert mixed["x0"].tolist() == [1.0, 2.5]
    assert str(mixed["x1"].dtype) == "str"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(3),
        np.zeros((2, 2, 2, 2, 2)),
        np.zeros((2, 2), complex),
        np.zeros(2, dtype=[("a", int)]),
        np.zeros((3, 0)),
    ],
    ids=["1-D", "5-D", "complex", "structured", "no columns"],
)
def test_arrays_that_are_no_table_are_refused(array):
    with pytest.raises(DataError, match=r"Received"):
        read_table(array)


def test_mapping_takes_columns_and_refuses_unequal_lengths():
    table = read_table({"a": [1, 2], "b": np.array([[3], [4]]), "c": pd.Series([5, 6], index=[9, 8])})
    assert table.frame.to_dict("list") == {"a": [1, 2], "b": [3, 4], "c": [5, 6]}
    with pytest.raises(DataError, match="'a' has 1, 'b' has 2"):
        read_table({"a": [1], "b": [1, 2]})


def test_what_is_no_table_is_refused_by_type():
    with pytest.raises(DataError, match="Received: list"):
        read_table([[1, 2]])


def test_equal_content_has_an_equal_fingerprint():
    frame = pd.DataFrame({"a": [1.0, None], "b": ["x", None], "c": pd.Categorical(["u", "v"])})
    same = read_table(frame).fingerprint
    assert read_table(frame.set_axis([5, 6])).fingerprint == same
    assert read_table(frame.rename(columns={"a": "z"})).fingerprint != same
    assert read_table(frame.assign(b=["x", "y"])).fingerprint != same


def test_parquet_types_work(tmp_path):
    path = tmp_path / "t.parquet"
    table = pa.table(
        {
            "i": pa.array([1, None, 2**60 + 1]),
            "d": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("2.25")], pa.decimal128(6, 2)),
            "c": pa.array(["a", None, "b"]).dictionary_encode(),
            "t": pa.array([dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)]),
            "z": pa.array([0, None, 1], pa.timestamp("us", tz="Europe/Zurich")),
            "s": pa.array(["x", None, ""], pa.string_view()),
            "h": pa.array([1.5, None, 2.5], pa.float16()),
            "b": pa.array([True, None, False]),
            "n": pa.nulls(3),
        }
    )
    pq.write_table(table, path)
    frame = read_table(path).frame
    kinds = {name: str(kind).split("[")[0] for name, kind in frame.dtypes.items()}
    assert kinds == {
        "i": "Int64", "d": "float64", "c": "category", "t": "datetime64", "z": "datetime64",
        "s": "str", "h": "float64", "b": "boolean", "n": "float64",
    }  # fmt: skip
    assert frame["i"].iloc[2] == 2**60 + 1
    assert frame["d"].tolist()[::2] == [1.5, 2.25]


def test_nested_and_damaged_parquet_are_refused(tmp_path):
    nested, cut = tmp_path / "n.parquet", tmp_path / "c.parquet"
    pq.write_table(pa.table({"ok": [1], "deep": [[1, 2]]}), nested)
    with pytest.raises(DataError, match="column 'deep'"):
        read_table(nested)
    cut.write_bytes(nested.read_bytes()[:-20])
    with pytest.raises(DataError, match="whole"):
        read_table(cut)
