"""A kind of input may claim several columns of a table, which are one column of the schema from then on."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from composable.core.errors import ConfigError, DataError
from composable.data import encoding, infer, kinds
from composable.data.encoding import encode, fit_encoding
from composable.data.infer import apply_schema, infer_schema
from composable.data.kinds.kind import InputKind, ModelInput, known_columns
from composable.data.kinds.number import NUMBER
from composable.data.recognize import Finding
from composable.data.schema import Column
from composable.data.table import Table

FRAME = pd.DataFrame({"t0": [1.0, 2.0], "size": [3.5, 4.5], "t1": [5.0, 6.0], "y": [0.5, 1.5]})


@dataclass(frozen=True)
class PairBlock:
    kind: Literal["pair"] = field(default="pair", kw_only=True)
    column: str

    @property
    def inputs(self):
        return (ModelInput("pairs", (2, 1), "float32", "amounts"),)

    def encode(self, cells):
        return {"pairs": cells.frame[list(cells.column.members)].to_numpy("float32")[..., None]}


def grouped(table, free):
    members = tuple(name for name in free if name.startswith("t"))
    if len(members) == 2:
        yield Finding(Column("t", "number", reason="two columns", members=members))


@pytest.fixture
def pairs(monkeypatch):
    """A kind of pairs, which alone reads columns of several."""
    pair = InputKind(
        "pair",
        ("number",),
        lambda column: None,
        lambda cells: PairBlock(cells.column.name) if cells.column.members else None,
        lambda cells: {},
        known_columns,
        groups=grouped,
    )
    alone = replace(NUMBER, fit=lambda cells: None if cells.column.members else NUMBER.fit(cells))
    for module in (kinds, encoding, infer):
        monkeypatch.setattr(module, "KINDS", (alone, pair))


def table():
    return Table(FRAME, "here", "")


def test_columns_that_a_kind_claims_are_one_column(pairs):
    schema, _ = infer_schema(table(), ("y",))
    assert [column.name for column in schema.columns] == ["t", "size", "y"]
    assert schema.feature_columns == ("t0", "t1", "size")
    fitted = fit_encoding(FRAME, schema)
    inputs = encode(FRAME, schema, fitted)
    assert fitted.shapes == {"numbers": (1,), "pairs": (2, 1)}
    np.testing.assert_array_equal(inputs["pairs"][..., 0], [[1, 5], [2, 6]])
    with pytest.raises(DataError, match="t1"):
        encode(FRAME.drop(columns="t1"), schema, fitted)


def test_a_target_or_a_dropped_column_is_in_no_group(pairs):
    schema, _ = infer_schema(table(), ("t1",))
    assert [column.name for column in schema.columns] == ["t0", "size", "t1", "y"]
    schema, _ = infer_schema(table(), ("y",), drop=("t0",))
    assert [column.role for column in schema.columns] == ["drop", "feature", "feature", "target"]


def test_a_schema_names_the_members_of_a_group(pairs):
    schema, _ = infer_schema(table(), ("y",))
    assert apply_schema(table(), schema, ("y",)) == schema
    group = schema.column("t")
    twice = replace(schema, columns=(*schema.columns, Column("t0", "number")))
    with pytest.raises(ConfigError, match="once"):
        apply_schema(table(), twice, ("y",))
    elsewhere = replace(schema, columns=(replace(group, members=("t0", "t7")),))
    with pytest.raises(ConfigError, match="t7"):
        apply_schema(table(), elsewhere, ("y",))
