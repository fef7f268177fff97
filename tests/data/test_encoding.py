"""Tables of codes: fitted on training rows alone, the same at training and at prediction."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composable.core.errors import DataError
from composable.core.records import from_json, to_json
from composable.data.encoding import Encoding, encode, fit_encoding, training_notices
from composable.data.kinds.category import CategoryBlock
from composable.data.kinds.date import DateBlock
from composable.data.kinds.number import NumberBlock
from composable.data.kinds.text import TextBlock
from composable.data.schema import FIRST, MISSING, UNKNOWN, Column, Schema
from composable.data.texts import CHARACTERS, WORDS

SCHEMA = Schema(
    (
        Column("n", "number"),
        Column("d", "date", date_format="ISO8601"),
        Column("c", "category"),
        Column("b", "boolean"),
        Column("t", "text"),
        Column("id", "identifier", "drop"),
        Column("y", "number", "target"),
    )
)


def frame(rows: int = 6) -> pd.DataFrame:
    columns = {
        "n": ["1", "2.5", "", "4", "1e400", "6"],
        "d": ["2000-01-01", "2000-01-03", "", "2000-01-02", "2000-01-05", "2000-01-09"],
        "c": ["u", "v", "u ", "", "w", "u"],
        "b": ["TRUE", "FALSE", "TRUE", "", "FALSE", "TRUE"],
        "t": ["Good, good car", "bad car", "", "a car", "good", "x"],
        "id": list("abcdef"),
        "y": ["1"] * 6,
    }
    return pd.DataFrame({name: pd.Series(cells[:rows], dtype="str") for name, cells in columns.items()})


def test_every_kind_of_column_is_encoded():
    encoding = fit_encoding(frame(), SCHEMA)
    inputs = encode(frame(), SCHEMA, encoding, strict=True)
    assert encoding.widths == {name: values.shape[1] for name, values in inputs.items()}
    assert {name: (part.dtype.name, part.shape) for name, part in inputs.items()} == {
        "numbers": ("float32", (6, 1)),
        "dates": ("float32", (6, 1)),
        "categories": ("int32", (6, 2)),
        "words": ("int32", (6, 4)),
        "ngrams": ("int32", (6, 2)),
        "characters": ("int32", (6, 24)),
    }
    np.testing.assert_array_equal(inputs["numbers"][:, 0], [1, 2.5, np.nan, 4, np.nan, 6])
    np.testing.assert_array_equal(inputs["dates"][:, 0], [0, 2, np.nan, 1, 4, 8])
    assert encoding.of(CategoryBlock)[0].values == ("u", "v", "w")  # by frequency, then by the alphabet
    assert inputs["categories"][:, 0].tolist() == [FIRST, FIRST + 1, FIRST, MISSING, FIRST + 2, FIRST]


def test_only_inputs_that_are_there_are_given():
    schema = Schema((Column("n", "number"),))
    assert list(encode(frame(), schema, fit_encoding(frame(), schema))) == ["numbers"]


def test_unseen_categories_are_unknown_and_spellings_count():
    encoding = fit_encoding(frame(), SCHEMA)
    assert encoding.of(CategoryBlock)[0].spellings == {"u ": "u"}
    new = frame().assign(c=["u ", "never", "", "?", "W", "v"], b=[True, False, None, True, False, "True"])
    codes = encode(new, SCHEMA, encoding, strict=True)["categories"]
    assert codes[:, 0].tolist() == [FIRST, UNKNOWN, MISSING, MISSING, UNKNOWN, FIRST + 1]
    assert codes[:, 1].tolist() == [FIRST, FIRST + 1, MISSING, FIRST, FIRST + 1, FIRST]


def test_rare_values_are_unknown_where_there_are_many():
    values = [f"v{i}" for i in range(30)] * 2 + ["once"]
    column = pd.DataFrame({"c": pd.Series(values, dtype="str")})
    schema = Schema((Column("c", "category"),))
    encoding = fit_encoding(column, schema)
    assert len(encoding.of(CategoryBlock)[0].values) == 30
    assert encode(column, schema, encoding)["categories"][-1, 0] == UNKNOWN


def test_vocabularies_are_bounded():
    values = pd.Series([f"v{i % 15_000}" for i in range(40_000)], dtype="str")
    words = pd.Series([f"word{i} word{i + 40_000}" for i in range(40_000)] * 2, dtype="str")
    schema = Schema((Column("c", "category"), Column("t", "text")))
    encoding = fit_encoding(pd.DataFrame({"c": [*values, *values], "t": words}), schema)
    assert len(encoding.of(CategoryBlock)[0].values) == 10_000
    text = encoding.of(TextBlock)[0].vocabulary
    sizes = [len(each) for each in (text.words, text.characters)]
    assert sizes == [WORDS, CHARACTERS]


def test_an_offset_keeps_what_float32_would_lose():
    stamps = 1.7e12 + np.arange(100.0) * 7
    table = pd.DataFrame({"s": stamps, "n": np.linspace(0, 1, 100)})
    schema = Schema((Column("s", "number"), Column("n", "number")))
    encoding = fit_encoding(table, schema)
    encoded = encode(table, schema, encoding)["numbers"]
    assert len(np.unique(encoded[:, 0])) == 100
    np.testing.assert_allclose(np.diff(encoded[:, 0]), 7)
    assert encoding.of(NumberBlock)[1].offset == 0.0


def test_large_numbers_stay_finite():
    schema = Schema((Column("n", "number"),))
    encoding = fit_encoding(frame(), schema)
    new = pd.DataFrame({"n": [1e30, 1e300, -1e300, np.nan, np.inf]})
    encoded = encode(new, schema, encoding, strict=True)["numbers"][:, 0]
    assert np.isfinite(encoded[:3]).all()
    assert np.isnan(encoded[3:]).all()


def test_no_rows_give_inputs_without_rows():
    inputs = encode(frame().iloc[:0], SCHEMA, fit_encoding(frame(), SCHEMA), strict=True)
    assert {len(part) for part in inputs.values()} == {0}


def test_missing_columns_are_all_named_and_extra_or_reordered_ones_ignored():
    encoding = fit_encoding(frame(), SCHEMA)
    expected = encode(frame(), SCHEMA, encoding)
    shuffled = frame()[["t", "b", "c", "d", "n"]].assign(extra=1)
    for name, part in encode(shuffled, SCHEMA, encoding).items():
        np.testing.assert_array_equal(part, expected[name])
    with pytest.raises(DataError, match=r"new\.csv lacks 'n', 't'"):
        encode(frame().drop(columns=["n", "t", "y"]), SCHEMA, encoding, origin="new.csv")


def test_a_cell_that_can_not_be_read_names_its_row():
    encoding = fit_encoding(frame(), SCHEMA)
    wrong = frame().assign(n=["1", "2", "three", "4", "5", "6"])
    with pytest.raises(DataError, match="row 3: 'three'"):
        encode(wrong, SCHEMA, encoding, strict=True)
    assert np.isnan(encode(wrong, SCHEMA, encoding)["numbers"][2, 0])


def test_the_encoding_is_a_record():
    encoding = fit_encoding(frame(), SCHEMA)
    assert from_json(Encoding, to_json(encoding, format="encoding"), format="encoding", origin="") == encoding


CELLS = st.sampled_from(
    ["", "?", "1", "2.0", "1e400", "x", "x ", "y z", "2020-01-01", "TRUE", "true", "99999999"]
)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_rows_outside_the_training_rows_never_change_the_encoding(data):
    names = [column.name for column in SCHEMA.features]
    rows = data.draw(st.integers(2, 12))
    table = pd.DataFrame(
        {n: pd.Series(data.draw(st.lists(CELLS, min_size=rows, max_size=rows)), dtype="str") for n in names}
    )
    train = data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=rows, unique=True))
    changed = table.copy()
    for row in set(range(rows)) - set(train):
        changed.loc[row] = data.draw(CELLS)
    mask = np.isin(np.arange(rows), train)
    fitted = fit_encoding(table, SCHEMA, train)
    assert fit_encoding(changed, SCHEMA, train) == fitted
    assert fit_encoding(changed, SCHEMA, mask) == fitted
    assert fit_encoding(table.iloc[train], SCHEMA) == fitted


def test_dates_in_the_future_are_counted():
    today = (dt.datetime.now(dt.UTC).date() - dt.date(2000, 1, 1)).days
    days = np.full((400, 1), today - 30.0)
    days[:3] = today + 90
    (notice,) = training_notices(Encoding((DateBlock("x"),)), {"dates": days})
    assert notice.level == "warning"
    assert "3 dates of 'x'" in notice.text
