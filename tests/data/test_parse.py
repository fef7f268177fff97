"""Raw cells to typed values: the same text gives the same value whatever type carries it."""

import numpy as np
import pandas as pd
import pytest

from composable.core.errors import DataError
from composable.data import kinds
from composable.data.kinds.kind import Cells
from composable.data.schema import Column


def parsed(values, column: Column, *, strict: bool = True) -> list:
    series = values if isinstance(values, pd.Series) else pd.Series(values, dtype="str")
    cells = Cells(column, pd.DataFrame({column.name: series}), origin="new.csv", strict=strict)
    result = kinds.parsed(cells)
    return [None if pd.isna(value) else value for value in result]


NUMBER, CATEGORY, TEXT = Column("x", "number"), Column("x", "category"), Column("x", "text")
DATE = Column("x", "date", date_format="%d/%m/%Y")


@pytest.mark.parametrize(
    "values",
    [
        ["1", " 2.50 ", "", "1e400"],
        pd.Series([1.0, 2.5, np.nan, np.inf]),
        pd.Series([1, "2.5", None, "-inf"], dtype=object),
        pd.Series(pd.array([1, 2.5, None, None], dtype="Float64")),
        pd.Series(pd.Categorical(["1", "2.5", "NA", "?"])),
    ],
)
def test_numbers_of_any_type_are_coerced(values):
    assert parsed(values, NUMBER) == [1.0, 2.5, None, None]


def test_numbers_follow_the_writing_in_the_schema():
    column = Column("x", "number", decimal=",", thousands=".", affixes=("€",))
    assert parsed(["€1.234,50", "-3 €", "7"], column) == [1234.5, -3.0, 7.0]
    assert parsed(pd.Series([1.5, 2.0]), column) == [1.5, 2.0]


def test_missing_marks_of_the_person_count_as_text_and_as_number():
    column = Column("x", "number", missing=("-999", "unknown"))
    assert parsed(["-999", "unknown", "-999.0", "3"], column) == [None, None, None, 3.0]
    assert parsed(pd.Series([-999.0, 3.0]), column) == [None, 3.0]
    assert parsed(["n/a", "n"], Column("x", "category", missing=("n/a",))) == [None, "n"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pd.Series([3.0, 2.5, np.nan]), ["3", "2.5", None]),
        (pd.Series([3, 2, 1]), ["3", "2", "1"]),
        (pd.Series(pd.array([3, None, 1], dtype="Int64")), ["3", None, "1"]),
        (["3.0", " 3 ", "01", "?", ""], ["3", "3", "01", None, None]),
        (pd.Series([True, False]), ["True", "False"]),
        (pd.Series(pd.Categorical(["b", None, "a"])), ["b", None, "a"]),
        (pd.Series(pd.Categorical([2.0, 1.0, 2.0])), ["2", "1", "2"]),
        (pd.Series([1, "1", 1.0], dtype=object), ["1", "1", "1"]),
        (pd.Series(pd.to_datetime(["2020-01-31", None])), ["2020-01-31T00:00:00", None]),
    ],
)
def test_categories_have_one_text_whatever_type_carries_them(values, texts):
    assert parsed(values, CATEGORY) == texts


def test_free_text_is_kept_but_for_outer_blanks():
    assert parsed([" 3.0 is fine ", ""], TEXT) == ["3.0 is fine", None]


def test_dates_of_any_type_become_days():
    assert parsed(["01/02/2000", "?"], DATE) == [31.0, None]
    assert parsed(pd.Series(pd.to_datetime(["2000-02-01 12:00", None])), DATE) == [31.5, None]
    zoned = pd.Series(pd.to_datetime(["2000-01-01 00:00"])).dt.tz_localize("Europe/Zurich")
    assert parsed(zoned, DATE) == [-1 / 24]
    assert parsed(pd.Series([20000102, 20000103]), Column("x", "date", date_format="%Y%m%d")) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("column", "value"), [(NUMBER, "12 apples"), (DATE, "30/02/2020"), (DATE, "2020-01-01")]
)
def test_cells_that_can_not_be_read_are_errors_with_row_and_value(column, value):
    good = "1" if column is NUMBER else "01/01/2020"
    with pytest.raises(DataError) as caught:
        parsed([good, value, good, value], column)
    message = str(caught.value)
    assert "Column 'x'" in message
    assert f"new.csv, row 2: '{value}', and 1 more" in message
    assert parsed([good, value], column, strict=False)[1] is None


def test_input_is_not_changed():
    values = pd.Series([1.0, np.inf])
    parsed(values, NUMBER)
    assert np.isinf(values.iloc[1])
    array = np.array([1.0, np.inf])
    parsed(pd.Series(array, copy=False), Column("x", "number", missing=("1",)))
    assert array.tolist() == [1.0, np.inf]
