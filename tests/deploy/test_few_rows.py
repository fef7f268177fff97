"""A few rows in memory are answered as many are, and wrong ones refused as in a file."""

import numpy as np
import pandas as pd
import pytest

from composable.core.errors import DataError
from composable.deploy import bundle as bundle_module
from composable.deploy.export import golden_rows
from composable.deploy.kinds import FEW, encode_few, few_rows

ROW = {
    "size": 5.0,
    "stamp": 1.7e9 + 500.0,
    "sold": "2020-02-03",
    "make": "bmw",
    "fuel": "gas",
    "note": "good",
}


@pytest.fixture
def the_long_way(monkeypatch):
    """Switch the short way off."""
    return lambda: monkeypatch.setattr(bundle_module, "few_rows", lambda data, columns: None)


@pytest.mark.parametrize("first", [0, 24, 64 - FEW])
def test_a_few_rows_are_answered_as_many_are(tiny, the_long_way, first):
    rows = pd.DataFrame(golden_rows(tiny.card)).iloc[first : first + FEW]
    rows = rows.assign(extra=1)
    assert few_rows(rows, tiny.card.encoding.columns) is not None
    found = tiny.bundle.answer(rows)
    the_long_way()
    expected = tiny.bundle.answer(rows)
    pd.testing.assert_frame_equal(found.frame, expected.frame)
    assert found.notices == expected.notices


def test_the_cells_of_one_row_are_a_row(tiny, the_long_way):
    found = tiny.bundle.predict(ROW)
    pd.testing.assert_frame_equal(found, tiny.bundle.predict(pd.DataFrame([ROW])))
    the_long_way()
    pd.testing.assert_frame_equal(found, tiny.bundle.predict(ROW))


@pytest.mark.parametrize(
    "wrong", [{"size": "large"}, {"sold": "soon"}, {"make": ["bmw"]}, {"SIZE": 1}], ids=lambda one: str(one)
)
def test_what_is_refused_in_many_rows_is_refused_in_few(tiny, wrong):
    with pytest.raises(DataError) as few:
        tiny.bundle.predict(pd.DataFrame([ROW | wrong]))
    with pytest.raises(DataError) as many:
        tiny.bundle.predict(pd.DataFrame([ROW | wrong] * 2 * FEW))
    assert few.value.rule == many.value.rule


def test_a_column_that_is_not_there_is_named(tiny):
    with pytest.raises(DataError, match="fuel"):
        tiny.bundle.predict({name: cell for name, cell in ROW.items() if name != "fuel"})


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([1, 2], dtype="Int64"),
        pd.Series(["a", "b"], dtype="category"),
        pd.Series([1, "a"], dtype=object),
    ],
    ids=lambda cells: str(cells.dtype),
)
def test_cells_that_are_not_plain_take_the_long_way(cells):
    assert few_rows(pd.DataFrame({"c": cells}), ["c"]) is None


def test_vocabularies_are_numbered_once(tiny):
    tables = tiny.bundle._tables
    rows = {name: [cell] for name, cell in ROW.items()}
    first = encode_few(rows, tiny.card.encoding, tables)
    kept = [block["ids"] for block in tables["encoding"]["blocks"] if "ids" in block]
    second = encode_few(rows, tiny.card.encoding, tables)
    assert kept
    assert all(
        one is block["ids"] for one, block in zip(kept, tables["encoding"]["blocks"][-1:], strict=True)
    )
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], strict=True)
