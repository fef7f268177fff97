"""The plain client reads cells as the package reads columns."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from composable.core.records import to_json
from composable.data.encoding import Encoding, encode
from composable.data.frames import mapping_frame
from composable.data.kinds.category import CategoryBlock
from composable.data.kinds.date import DateBlock
from composable.data.kinds.number import NumberBlock
from composable.data.kinds.text import TextBlock
from composable.data.schema import Column, Schema
from composable.data.texts import Vocabulary
from composable.deploy import source as client
from composable.deploy.answers import answers
from composable.deploy.kinds import DEPLOYED
from composable.problem.problem import Head, Problem

NUMBERS = ["1", " 2.5 ", "-3e2", "", "NA", ".5", "5.", "+7", "1e400", "-999", "nan", "inf", "None"]
MONEY = ["€1.234,50", "1.000 €", "-7,5", "€ -3", "12 €", "", "-"]
DATES = ["2020-01-05", "2020-1-5 9:30", "2020-01", "2020", "20200105", "2020-01-05T10:00:00Z", "", "NA"]
DATES += ["2020-01-05 10:00:00.25", "2020-01-05 10:00+02:00", "2020/02/03"]
WORDS = ["audi", " bmw", "BMW", "?", "", "n/a", "3", "3.0", "4.50", "true", "lada"]
TEXTS = [
    "Good car, good price",
    "",
    "nothing known",
    "good\tgood",
    "?",
    None,
    "\uff27\uff2f\uff2f\uff24 猫猫 NAÏVE nai\u0308ve 🙂",
]


def numbers(cells, **more):
    return (
        cells,
        Column("c", "number", **more),
        NumberBlock("c"),
    )


def dates(cells, form="ISO8601", **more):
    return cells, Column("c", "date", date_format=form, **more), DateBlock("c")


def words(cells, **more):
    block = CategoryBlock(
        "c", ("audi", "bmw", "3", "True", "1.5", "2020-01-05T00:00:00"), {"BMW": "bmw", "true": "True"}
    )
    return cells, Column("c", "category", **more), block


def texts(cells, **more):
    words, pairs = (
        ("good", "car", ",", "nothing", "naïve", "猫"),
        ("good car", ", good", "猫 猫", "nothing 猫"),
    )
    known = Vocabulary(words, pairs, ("oo", "car ", " p"), length=4, most_ngrams=3, most_characters=2)
    return cells, Column("c", "text", **more), TextBlock("c", known)


STAMP = dt.datetime(2020, 1, 5, 12, 30)
CASES = {
    "numbers as text": numbers(NUMBERS, missing=("-999",)),
    "numbers": numbers([1, 2.5, None, float("nan"), float("inf"), -999], missing=("-999",)),
    "truths as numbers": numbers([True, False, None]),
    "NumPy's": numbers(list(np.array([1.5, 2.0], "float32")) + list(np.array([1, 2]))),
    "money": numbers(MONEY, decimal=",", thousands=".", affixes=("€",)),
    "dates as text": dates(DATES),
    "days as text": dates(["05.01.2020", "31.12.1999", "", "-"], "%d.%m.%Y"),
    "compact": dates(["20200105", "", "20201231"], "%Y%m%d"),
    "compact numbers": dates([20200105.0, None, 20201231.0], "%Y%m%d"),
    "times": dates(["01/02/2020 09:30 PM", "never"], "%d/%m/%Y %I:%M %p", missing=("never",)),
    "stamps": dates([STAMP, None, pd.NaT]),
    "stamps of a zone": dates([STAMP.replace(tzinfo=dt.timezone(dt.timedelta(hours=2)))]),
    "words": words(WORDS, missing=("n/a",)),
    "numbers as words": words([3.0, None, 1.5, float("nan")]),
    "truths": words([True, False, None]),
    "days as words": words([dt.date(2020, 1, 5), None]),
    "texts": texts(TEXTS),
}


def plain(record):
    """What JSON holds of a record."""
    return json.loads(to_json(record, format="x"))


def client_of(block, cells, column):
    """What the plain client makes of the cells."""
    return DEPLOYED[block.kind].client({"c": cells}, [plain(block)], {"c": plain(column)})


def each(cells, column, block):
    """For each of the model's inputs, what the package makes of the cells, and what the plain client does."""
    frame = mapping_frame({"c": pd.Series(cells, dtype=object)}, origin="")
    found = client_of(block, cells, column)
    wanted = encode(frame, Schema((column,)), Encoding((block,)), strict=True)
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        yield values, found[name]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_cells_are_read_as_columns_are(case):
    for wanted, found in each(*case):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def test_an_offset_is_taken_off_before_float32():
    cells, column, _ = numbers([1.7e9, 1.7e9 + 1])
    ((wanted, found),) = each(cells, column, NumberBlock("c", 1.7e9))
    np.testing.assert_array_equal(found, wanted)
    assert found.tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize(
    "case", [numbers(["1", "one"]), dates(["2020-01-05", "soon"])], ids=["number", "date"]
)
def test_a_cell_that_cannot_be_read_is_named(case):
    with pytest.raises(ValueError, match="row 2"):
        encode(pd.DataFrame({"c": case[0]}), Schema((case[1],)), Encoding((case[2],)), strict=True)
    with pytest.raises(ValueError, match=r"Column 'c' must hold a .*; row 2 holds"):
        client_of(case[2], case[0], case[1])


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="the column 'c'"):
        DEPLOYED["number"].client({}, [plain(NumberBlock("c"))], {"c": plain(Column("c", "number"))})


HEADS = {
    "regression": Head("price", "regression", ("price",)),
    "binary": Head("fast", "binary", ("fast",), (False, True), (0.7,)),
    "multiclass": Head("grade", "multiclass", ("grade",), ("1", 1, "mid")),
    "multilabel": Head("red, big", "multilabel", ("red", "big"), (0, 1)),
}


@pytest.mark.parametrize("kinds", [*([kind] for kind in HEADS), list(HEADS)], ids=" ".join)
def test_answers_are_those_of_the_bundle(kinds):
    heads = [HEADS[kind] for kind in kinds]
    rng = np.random.default_rng(0)
    outputs = [
        rng.dirichlet(np.ones(max(head.width, 2)), 5)[:, : head.width].astype("float32") for head in heads
    ]
    wanted = answers(outputs, Problem(tuple(heads), "rmse"))
    found = client.answers(outputs, list(map(plain, heads)))
    assert list(found) == list(wanted.columns)
    for name, values in found.items():
        assert values == wanted[name].tolist()
