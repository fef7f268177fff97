"""A user's schema: it wins, and what it names must be there."""

import pandas as pd
import pytest

from composable.core.errors import ConfigError, DataError
from composable.data.infer import apply_schema, check_targets, infer_schema
from composable.data.read import read_table
from composable.data.schema import Column, Schema

TABLE = read_table(
    pd.DataFrame({"zip": ["8001", "9000", "8001"], "area": ["1", "2", "3"], "price": ["5", "6", "8"]})
)


def test_the_schema_wins_over_what_was_inferred():
    edited = Schema((Column("price", "number", "target"), Column("zip", "category")))
    assert infer_schema(TABLE)[0].column("zip").kind == "number"
    applied = apply_schema(TABLE, edited)
    assert [(c.name, c.kind, c.role) for c in applied.columns] == [
        ("zip", "category", "feature"),
        ("area", "text", "drop"),
        ("price", "number", "target"),
    ]


def test_targets_that_were_asked_for_win_over_those_marked():
    edited = Schema(
        (Column("price", "number", "target"), Column("zip", "category"), Column("area", "number"))
    )
    applied = apply_schema(TABLE, edited, ("zip",))
    assert [c.role for c in applied.columns] == ["target", "feature", "feature"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((Column("Prices", "number"),), "did you mean 'price'"),
        ((Column("zip", "category"), Column("zip", "number")), "name a column once"),
        ((Column("zip", "identifier"),), "role 'drop'"),
        ((Column("price", "date", "target"),), "number, a category or a boolean"),
    ],
)
def test_schemas_that_can_not_hold_are_refused(columns, message):
    with pytest.raises(ConfigError, match=message):
        apply_schema(TABLE, Schema(columns))


def test_targets_must_be_there_once():
    with pytest.raises(DataError, match="did you mean 'price'"):
        check_targets(TABLE, ("pirce",))
    with pytest.raises(DataError, match="named once"):
        check_targets(TABLE, ("price", "price"))
