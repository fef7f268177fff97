"""Series in columns, arrays and files: recognized, padded, encoded; what can't be one is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from composable.core.errors import DataError
from composable.data.encoding import encode, fit_encoding, query_notices, training_notices
from composable.data.infer import apply_schema, infer_schema
from composable.data.kinds.series import SeriesBlock
from composable.data.profile import profile
from composable.data.read import read_table
from composable.data.schema import Column, Schema

ROWS = 40


def curves(rows: int = ROWS, steps: int = 20) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.sin(rng.uniform(0.2, 0.6, (rows, 1)) * np.arange(steps)) + rng.normal(0, 0.05, (rows, steps))


def in_columns(values: np.ndarray, stem: str = "t") -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"{stem}{step:03d}" for step in range(values.shape[1])])


def understood(source):
    table = read_table(source)
    schema, notices = infer_schema(table)
    return table, schema, notices


def encoded(source, rows=None):
    table, schema, _ = understood(source)
    encoding = fit_encoding(table.frame, schema, rows, sources=table.sources)
    return encoding, encode(table.frame, schema, encoding, sources=table.sources)


def test_columns_with_running_numbers_whose_neighbors_are_alike_are_one_series_and_it_is_said():
    frame = in_columns(curves()).assign(age=np.arange(ROWS) % 7)
    _, schema, notices = understood(frame.sample(frac=1, axis=1, random_state=0))
    (series,) = [column for column in schema.columns if column.kind == "series"]
    assert series.members == tuple(f"t{step:03d}" for step in range(20))
    assert [column.name for column in schema.columns if column.kind == "number"] == ["age"]
    (notice,) = [one for one in notices if one.column == "t"]
    assert "20 columns" in notice.text
    assert "--schema" in notice.remedy


def test_they_are_one_in_a_text_file_as_well(tmp_path):
    in_columns(curves()).to_csv(tmp_path / "series.csv", index=False)
    encoding, inputs = encoded(tmp_path / "series.csv")
    assert encoding.of(SeriesBlock)[0].length == 20
    np.testing.assert_allclose(inputs["series"][..., 0], curves(), atol=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=(ROWS, 20)),
        np.random.default_rng(0).normal(size=(ROWS, 20)) + 10 * np.arange(20),
        curves(steps=15),
        np.full((ROWS, 20), 3.0),
    ],
    ids=["in any order", "scales that rise", "few", "constant"],
)
def test_columns_that_only_share_a_name_stay_columns(values):
    _, schema, _ = understood(in_columns(values))
    assert "series" not in {column.kind for column in schema.columns}


def test_a_number_left_out_makes_no_series():
    _, schema, _ = understood(in_columns(curves()).drop(columns="t007"))
    assert "series" not in {column.kind for column in schema.columns}


def test_a_schema_overrules_what_was_recognized():
    frame = in_columns(curves())
    schema = Schema(tuple(Column(name, "number") for name in frame))
    assert fit_encoding(frame, schema).widths == {"numbers": 20}


def test_a_series_whose_kind_is_changed_in_the_schema_is_columns_again():
    frame = in_columns(curves()).assign(age=np.arange(ROWS) % 7)
    table, schema, _ = understood(frame)
    changed = Schema(tuple(replace(c, kind="number") if c.kind == "series" else c for c in schema.columns))
    applied = apply_schema(table, changed)
    assert [column.name for column in applied.columns] == list(frame)
    assert fit_encoding(table.frame, applied).widths == {"numbers": 21}
    assert apply_schema(table, schema) == schema


def test_arrays_of_steps_and_channels_are_series_beside_other_columns():
    values = np.random.default_rng(0).normal(size=(ROWS, 9, 2))
    encoding, inputs = encoded({"sensor": values, "age": np.arange(ROWS) % 7})
    assert encoding.shapes == {"numbers": (1,), "series": (9, 2)}
    np.testing.assert_allclose(inputs["series"], values, atol=1e-6)


def test_an_npz_file_of_series_brings_its_parts_and_labels(tmp_path):
    values, labels = curves()[..., None], np.array(["up", "down"] * (ROWS // 2))
    np.savez(
        tmp_path / "s.npz", x_train=values[:30], y_train=labels[:30], x_test=values[30:], y_test=labels[30:]
    )
    table = read_table(tmp_path / "s.npz")
    assert list(table.frame) == ["series", "class", "part"]
    assert table.usual_target == "class"
    _, inputs = encoded(tmp_path / "s.npz")
    np.testing.assert_allclose(inputs["series"], values, atol=1e-6)


def test_arrays_of_a_file_have_the_same_channels(tmp_path):
    np.savez(tmp_path / "s.npz", x_train=np.ones((3, 5, 2)), x_test=np.ones((3, 5, 1)))
    with pytest.raises(DataError, match="'x_test': 1"):
        read_table(tmp_path / "s.npz")


def test_levels_of_gray_images_are_no_series(tmp_path):
    bytes_ = np.random.default_rng(0).integers(0, 256, (5, 8, 8)).astype("uint8")
    assert read_table(bytes_).sources.keys() == {"image"}
    np.savez(tmp_path / "shares.npz", x=bytes_ / 255)
    assert read_table(tmp_path / "shares.npz").sources.keys() == {"image"}
    assert read_table(bytes_ - 128.0).sources.keys() == {"series"}


def test_series_of_unequal_length_are_padded():
    encoding, inputs = encoded({"x": [np.arange(4.0), np.arange(2.0), np.arange(3.0)], "y": [1, 2, 3]})
    assert encoding.of(SeriesBlock)[0].length == 4
    assert np.isnan(inputs["series"][..., 0]).sum(axis=1).tolist() == [0, 2, 1]


def test_longer_series_than_were_learned_from_are_cut():
    table, schema, _ = understood({"x": [np.arange(4.0), np.arange(9.0)], "y": [1, 2]})
    encoding = fit_encoding(table.frame, schema, [0], sources=table.sources)
    inputs = encode(table.frame, schema, encoding, sources=table.sources)
    assert inputs["series"][..., 0].tolist() == [[0, 1, 2, 3]] * 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((5, 1, 2)), "two steps or more"),
        ([np.ones((3, 2)), np.ones((3, 1))], r"row 2 is \(3, 1\)"),
        ([np.ones((3, 2)), np.array([["a"] * 2] * 3)], "row 2"),
        (np.full((5, 6, 1), np.nan), "all of them are missing"),
        ([[[1.0], [2.0, 3.0]], [[1.0]]], "row 1 has steps of several lengths"),
    ],
    ids=["one point", "other channels", "texts", "all missing", "other channels in a row"],
)
def test_what_can_not_be_a_series_is_refused(values, message):
    with pytest.raises(DataError, match=message):
        encoded({"x": values, "y": np.arange(len(values))})


def test_a_series_that_is_a_thousand_times_as_long_does_not_fill_memory_with_padding():
    rows = [np.zeros(4_000_000), *(np.arange(9.0) for _ in range(4000))]  # 64 GB, were all as long
    _, inputs = encoded({"x": rows, "y": np.arange(len(rows)) % 3})
    assert inputs["series"].shape == (4001, 4096, 1)
    assert np.isfinite(inputs["series"][1]).sum() == 9


def test_lists_of_unequal_length_are_series_too():
    encoding, inputs = encoded({"x": [[1.0, 2.0, 3.0], [4.0, 5.0]], "y": [1, 2]})
    assert encoding.shapes["series"] == (3, 1)
    np.testing.assert_array_equal(inputs["series"][1, :, 0], [4, 5, np.nan])


def test_an_npz_file_of_series_of_unequal_length_is_refused_with_what_to_do(tmp_path):
    rows = np.empty(2, object)
    rows[:] = [np.arange(4.0), np.arange(9.0)]
    np.savez(tmp_path / "s.npz", x_train=rows, y_train=[0, 1])
    with pytest.raises(DataError, match="unequal length") as refused:
        read_table(tmp_path / "s.npz")
    assert "s.npz" in str(refused.value)
    assert "NaN" in str(refused.value)


def test_series_in_the_cells_of_a_table_are_refused_with_what_to_do():
    frame = pd.DataFrame({"x": [np.arange(4.0), np.arange(9.0)], "y": [1, 2]})
    with pytest.raises(DataError, match="column 'x', row 1") as refused:
        read_table(frame)
    assert "t000" in str(refused.value)


def test_rows_with_other_channels_than_were_learned_from_are_refused():
    table, schema, _ = understood({"x": np.random.default_rng(0).normal(size=(5, 6, 2)), "y": np.arange(5)})
    encoding = fit_encoding(table.frame, schema, sources=table.sources)
    other = read_table({"x": np.random.default_rng(0).normal(size=(5, 6, 3)), "y": np.arange(5)})
    with pytest.raises(DataError, match="must have 2 channels"):
        encode(other.frame, schema, encoding, sources=other.sources)


def test_what_is_odd_about_series_is_said():
    rows = [np.full(4000, 2.0), np.arange(3.0), np.full(5, np.nan), np.array([1.0, np.inf])]
    encoding, inputs = encoded({"x": rows, "y": [1, 2, 3, 4]})
    texts = " ".join(notice.text for notice in training_notices(encoding, inputs))
    assert "1 of 4 series" in texts
    assert "hold no number" in texts
    assert "2 of 4 series of 'x' never change" in texts
    assert "from 1 to 4000 steps" in texts
    far = {**inputs, "series": np.full_like(inputs["series"], 9e9)}
    (notice,) = query_notices(encoding, far)
    assert "leave the training range 0 to 2" in notice.text


def test_a_profile_says_how_long_they_are():
    table, schema, _ = understood({"x": [np.arange(4.0), np.arange(2.0)], "y": [1, 2]})
    (series,) = [one for one in profile(table, schema)["columns"] if one["kind"] == "series"]
    assert series["steps"] == [2, 4]
    assert series["channels"] == 1


def test_golden_series_try_every_branch():
    encoding, _ = encoded({"x": np.random.default_rng(0).normal(size=(5, 6, 2)), "y": np.arange(5)})
    golden = encoding.of(SeriesBlock)[0].golden(Column("x", "series"), 64, np.random.default_rng(0))
    assert golden.shape == (64, 6, 2)
    assert np.isnan(golden[-3]).all()
    assert np.isnan(golden[:-3]).any()
    assert golden[-1].max() == 1e300
