"""What columns are taken for: the kind, the reason, and what the user is told."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from composable.core.errors import ConfigError, DataError
from composable.data.infer import infer_schema
from composable.data.kinds import parsed
from composable.data.kinds.kind import Cells
from composable.data.read import read_table
from composable.data.schema import Column, Notice, TextFormat

ROWS = 60


def inferred(
    values, name: str = "x", *, decimal: str = ".", target: bool = False, date_order=None
) -> tuple[Column, tuple[Notice, ...], np.ndarray | pd.Series]:
    """The column inferred for text cells, its notices, and its parsed values."""
    frame = pd.DataFrame({name: pd.Series(values, dtype="str"), "other": np.linspace(0.1, 0.9, len(values))})
    table = read_table(frame)
    table = replace(table, format=TextFormat(decimal=decimal))
    schema, notices = infer_schema(table, (name,) if target else (), date_order=date_order)
    column = schema.column(name)
    return column, notices, parsed(Cells(column, table.frame))


def repeated(*values: str) -> list[str]:
    return [values[i % len(values)] for i in range(ROWS)]


def numbers(*odd: str) -> list[str]:
    """Sixty different numbers, the first of them replaced by `odd`."""
    return [*odd, *(f"{i}.5" for i in range(ROWS - len(odd)))]


def test_plain_kinds():
    assert inferred(numbers())[0].kind == "number"
    assert inferred(repeated("1", "2", "3"))[0].kind == "number"
    assert inferred(repeated("red", "green", "blue"))[0].kind == "category"
    assert inferred(repeated("TRUE", "false", "True"))[0].kind == "boolean"
    assert inferred(repeated("y", "n"))[0].kind == "boolean"
    texts = [f"the {i} quick brown foxes of day {i}" for i in range(ROWS)]
    assert inferred(texts)[0].kind == "text"
    for values in (numbers(), repeated("red", "green"), texts):
        assert inferred(values)[0].reason


def test_marks_count_as_missing_where_the_rest_are_numbers():
    column, notices, values = inferred(numbers("?", "NA", "n/a", "-", ".", "none"))
    assert column.kind == "number"
    assert set(column.missing) == {"?", "NA", "n/a", "-", ".", "none"}
    assert np.isnan(values[:6]).all()
    assert not np.isnan(values[6:]).any()
    assert notices == ()


def test_marks_of_categories_are_fewer_because_none_may_be_a_value():
    column, _, values = inferred(repeated("none", "fungicide", "?", "NA", "other"))
    assert column.missing == ("?", "NA")
    assert values.isna().sum() == 2 * ROWS / 5
    assert "none" in set(values)


def test_a_few_odd_texts_count_as_missing_with_count_and_first_row():
    column, (notice,), values = inferred(["12", *numbers("n/a", "abc", "abc")])
    assert column.kind == "number"
    assert column.missing == ("n/a", "abc")
    assert "2 of 60 cells" in notice.text
    assert "'abc' in row 3" in notice.text
    assert notice.level == "warning"
    assert np.isnan(values[1:4]).all()


def test_numbers_and_words_half_and_half_stay_a_category_and_this_is_said():
    column, (notice,), _ = inferred(repeated("1", "2", "3", "many"))
    assert column.kind == "category"
    assert "45 of 60 cells are numbers" in notice.text
    assert "'many' in row 4" in notice.text
    assert inferred(repeated("0", "1", "2", *["1"] * 8, "3+"))[0].kind == "category"


@pytest.mark.parametrize(
    ("cell", "value", "part"),
    [
        ("1,234", 1234.0, "--decimal ,"),
        ("€5", 5.0, "€"),
        ("5%", 5.0, "%"),
        ("5 kg", 5.0, "kg"),
        ("-$7.50", -7.5, "$"),
    ],
)
def test_marks_around_numbers_are_taken_off_and_said(cell, value, part):
    column, notices, values = inferred(numbers(cell))
    assert (column.kind, values[0]) == ("number", value)
    (notice,) = notices
    assert part in notice.text + notice.remedy
    assert repr(cell) in notice.text
    assert "row 1" in notice.text


def test_mixed_currencies_and_bare_numbers_are_questioned():
    _, (notice,), _ = inferred(["€5", "$6", *numbers()])
    assert "same unit" in notice.text
    assert notice.level == "warning"


def test_decimal_mark_of_the_file_decides_where_a_column_can_not():
    assert inferred(["1,234", "2,5", *[f"{i},5" for i in range(ROWS)]])[2][:2].tolist() == [1.234, 2.5]
    values = [f"{i}.{i:03d}" for i in range(1, ROWS)]
    assert inferred(values)[2][0] == 1.001
    assert inferred(values, decimal=",")[2][0] == 1001.0


def test_codes_and_identifiers_of_digits_are_not_quantities():
    column, (notice,), values = inferred(repeated("01234", "8001", "9000"), "zip")
    assert column.kind == "category"
    assert "'01234' in row 1" in notice.text
    assert values[0] == "01234"
    assert inferred(repeated("12345678901234567890", "12345678901234567891"))[0].kind == "category"
    assert inferred(repeated("01", "02", "12"), "month")[0].kind == "number"


@pytest.mark.parametrize("value", ["inf", "-inf", "Infinity", "1e400", "-1e400"])
def test_infinite_numbers_count_as_missing_and_are_counted(value):
    column, (notice,), values = inferred(["1", value, value, *numbers()])
    assert column.kind == "number"
    assert "2 infinite numbers" in notice.text
    assert "row 2" in notice.text
    assert np.isnan(values[1:3]).all()


def test_infinite_floats_count_as_missing():
    table = read_table(pd.DataFrame({"x": [1.0, np.inf, 2.5, -np.inf]}))
    schema, (notice,) = infer_schema(table)
    assert "2 infinite numbers" in notice.text
    assert "row 2" in notice.text
    assert np.isnan(np.asarray(parsed(Cells(schema.column("x"), table.frame, strict=True)))[[1, 3]]).all()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([""] * ROWS, "empty"),
        (repeated("?", "NA"), "empty"),
        (["5"] * ROWS, "constant"),
        (["x"] * ROWS, "constant"),
        (repeated("5", ""), "constant"),
        (repeated("x", "", "?"), "constant"),
        (["2020-01-01"] * ROWS, "constant"),
        (["inf"] * ROWS, "empty"),
    ],
)
def test_columns_without_information_are_dropped_and_listed(values, kind):
    column, notices, _ = inferred(values)
    assert (column.kind, column.role) == (kind, "drop")
    assert any("'x'" in notice.text and "Left out" in notice.text for notice in notices)


def test_typed_columns_without_information_are_dropped():
    frame = pd.DataFrame({"e": [np.nan] * 3, "c": [2, 2, 2], "m": [True, None, True], "x": [1.5, 2.5, 3.5]})
    schema, notices = infer_schema(read_table(frame))
    assert [c.kind for c in schema.columns] == ["empty", "constant", "constant", "number"]
    assert [c.name for c in schema.features] == ["x"]
    assert len(notices) == 2


def test_misspelled_target_comes_with_the_nearest_names():
    table = read_table(pd.DataFrame({"Price": [1], "area": [2], "rooms": [3]}))
    with pytest.raises(DataError, match="did you mean 'Price'"):
        infer_schema(table, ("price",))
    with pytest.raises(DataError, match="the columns are 'Price', 'area', 'rooms'"):
        infer_schema(table, ("zzzzz",))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("row", [str(i) for i in range(1, ROWS + 1)]),
        ("customer_id", [str(9000 + 7 * i) for i in range(ROWS)]),
        ("hospital_number", [str(9000 + 7 * (i // 2 if i < 6 else i)) for i in range(ROWS)]),
        ("x", [f"user{i}@example.org" for i in range(ROWS)]),
        ("account", [f"{10**17 + i}" for i in range(ROWS)]),
    ],
)
def test_columns_that_name_rows_are_dropped_and_said(name, values):
    column, notices, _ = inferred(values, name)
    assert (column.kind, column.role) == ("identifier", "drop")
    assert any(repr(name) in notice.text for notice in notices)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", [str(9000 + 37 * i) for i in range(ROWS)]),
        ("year", [str(1950 + i) for i in range(ROWS)]),
        ("reading", [f"{i}.25" for i in range(ROWS)]),
        ("number_of_doors", [str(2 + i % 3) for i in range(ROWS)]),
        ("id", [f"{i}.5" for i in range(ROWS)]),
        ("short", ["1", "2", "3"]),
    ],
)
def test_quantities_that_differ_in_every_row_are_kept(name, values):
    column, _, _ = inferred(values, name)
    assert (column.kind, column.role) == ("number", "feature")


def test_row_numbers_are_kept_where_nothing_else_is_left():
    table = read_table(pd.DataFrame({"t": np.arange(20), "y": np.arange(20.0) ** 2}))
    schema, _ = infer_schema(table, ("y",))
    assert [(c.name, c.kind) for c in schema.features] == [("t", "number")]


def test_a_target_is_never_dropped_and_never_text():
    unique = [f"user{i}@example.org" for i in range(ROWS)]
    for values in (
        unique,
        ["5"] * ROWS,
        ["x"] * ROWS,
        [str(i) for i in range(ROWS)],
        repeated("2020-01-01", "2020-02-01"),
    ):
        column, _, _ = inferred(values, target=True)
        assert column.role == "target"
        assert column.kind in ("number", "category")


@pytest.mark.parametrize(
    ("cells", "date_format", "first"),
    [
        (("2020-01-31", "2020-02-01"), "ISO8601", 7335.0),
        (("2020-01-31T12:00:00Z", "2020-02-01T00:00:00Z"), "ISO8601", 7335.5),
        (("31/01/2020", "01/02/2020"), "%d/%m/%Y", 7335.0),
        (("1/31/20 6:00", "2/1/20 18:00"), "%m/%d/%y %H:%M", 7335.25),
        (("31.01.2020", "01.02.2020"), "%d.%m.%Y", 7335.0),
        (("31 Jan 2020", "1 Feb 2020"), "%d %b %Y", 7335.0),
        (("January 31, 2020", "February 1, 2020"), "%B %d, %Y", 7335.0),
    ],
)
def test_dates_are_recognized(cells, date_format, first):
    column, notices, days = inferred(repeated(*cells))
    assert (column.kind, column.date_format) == ("date", date_format)
    assert days[0] == first
    assert notices == ()


def test_dates_without_separators_are_recognized_and_said():
    column, (notice,), days = inferred([f"202001{i % 28 + 1:02d}" for i in range(ROWS)], "day")
    assert (column.kind, days[0]) == ("date", 7305.0)
    assert "YYYYMMDD" in notice.text
    assert inferred([str(20200100 + i) for i in range(ROWS)])[0].kind == "number"  # 20200132 is no day


def test_a_day_that_does_not_exist_is_flagged_with_its_row():
    days = [f"2020-02-{i % 28 + 1:02d}" for i in range(ROWS)]
    column, (notice,), values = inferred([*days, "2020-02-30"])
    assert column.kind == "date"
    assert "'2020-02-30' in row 61" in notice.text
    assert notice.level == "warning"
    assert np.isnan(values[-1])


def test_mixed_formats_are_flagged_with_the_first_odd_row():
    column, notices, _ = inferred([*repeated("2020-01-31", "2020-02-01"), *["31/01/2020"] * 30])
    assert column.kind == "category"
    assert any("60 of 90 cells are dates" in n.text and "'31/01/2020' in row 61" in n.text for n in notices)


def test_mixed_time_zones_are_turned_into_utc_and_said():
    cells = repeated("2020-01-01T02:00:00+02:00", "2020-01-02T00:00:00Z", "2020-01-03 00:00")
    _, (notice,), days = inferred(cells)
    assert days[:3].tolist() == [7305.0, 7306.0, 7307.0]
    assert "UTC" in notice.text
    assert notice.level == "warning"


def test_ambiguous_order_is_stated_with_the_flag_and_overruled_by_it():
    values = repeated("03/02/2020", "01/04/2020", "02/03/2020")
    column, (notice,), days = inferred(values)
    assert column.date_format == "%m/%d/%Y"
    assert notice.remedy == "--date-order day-first"
    column, notices, other = inferred(values, date_order="day-first")
    assert column.date_format == "%d/%m/%Y"
    assert notices == ()
    assert days[0] != other[0]


def test_ambiguous_order_is_settled_by_rows_in_order_of_time():
    column, notices, _ = inferred(["01/02/2020", "01/03/2020", "01/04/2020", "01/05/2020", "02/01/2020"])
    assert column.date_format == "%m/%d/%Y"
    assert notices == ()


def test_a_vocabulary_is_bounded_and_this_is_said():
    texts = [f"v{i % 30_000}" for i in range(70_000)]
    column, (notice,), _ = inferred(texts)
    assert column.kind == "category"
    assert "30,000 different texts" in notice.text
    assert "10,000" in notice.text


@pytest.mark.slow
def test_a_million_categories():
    column, notices, _ = inferred([f"v{i}" for i in range(1_000_000)] * 2)
    assert column.kind == "category"
    assert any("1,000,000" in notice.text for notice in notices)


def test_typed_columns_keep_their_types():
    frame = pd.DataFrame(
        {
            "b": [True, False, True],
            "d": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
            "c": pd.Categorical(["u", "v", "u"], categories=["u", "v", "unused"]),
            "i": [3, 1, 2],
            "n": pd.array([1, None, 2], dtype="Int64"),
        }
    )
    schema, notices = infer_schema(read_table(frame))
    assert [c.kind for c in schema.columns] == ["boolean", "date", "category", "number", "number"]
    assert notices == ()


def test_dropped_columns_keep_their_place_and_must_exist():
    table = read_table(pd.DataFrame({"a": [1.5, 2.5], "b": [1.5, 2.5], "y": [1, 2]}))
    schema, _ = infer_schema(table, ("y",), drop=("a",))
    assert [(c.name, c.role) for c in schema.columns] == [("a", "drop"), ("b", "feature"), ("y", "target")]
    with pytest.raises(ConfigError, match="did you mean 'a'"):
        infer_schema(table, ("y",), drop=("A",))
    with pytest.raises(ConfigError, match="both the target and dropped"):
        infer_schema(table, ("y",), drop=("y",))


def test_many_dropped_columns_make_one_notice():
    frame = pd.DataFrame({f"c{i}": [1, 1, 1] for i in range(50)} | {"x": [0.5, 1.5, 2.5]})
    _, notices = infer_schema(read_table(frame))
    assert len(notices) == 1
    assert "and 30 more" in notices[0].text
