"""Every kind of input is asked every verb: the same questions to all of them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from composable.core.records import from_json, to_json
from composable.data.encoding import (
    Encoding,
    encode,
    fit_encoding,
    known_encoding,
    query_notices,
    training_notices,
)
from composable.data.images.source import ImageArrays
from composable.data.infer import infer_schema
from composable.data.kinds import KINDS, kind_of
from composable.data.kinds.kind import Cells
from composable.data.profile import profile
from composable.data.schema import MODEL_KINDS
from composable.data.series import SeriesArrays
from composable.data.table import Table
from composable.deploy.kinds import DEPLOYED

ROWS = 24
random = np.random.default_rng(0)
WORDS = np.array(["good", "bad", "old", "new", "red", "fast", "slow", "car", "price", "engine"])
PIXELS = random.integers(0, 256, (ROWS, 6, 4, 3)).astype("uint8")
CELLS = {
    "number": [f"{value:.3f}" for value in random.normal(5, 2, ROWS)],
    "date": [f"2020-{1 + row % 12:02}-{1 + row:02}" for row in range(ROWS)],
    "category": ["ford", "bmw", "audi"] * (ROWS // 3),
    "boolean": ["yes", "no"] * (ROWS // 2),
    "text": [" ".join(random.choice(WORDS, 6)) for _ in range(ROWS)],
    "image": [f"x/{row}" for row in range(ROWS)],
    "series": [f"x/{row}" for row in range(ROWS)],
}
STEPS = random.normal(size=(ROWS, 9, 2)).astype("float32")
SOURCES = {"image": lambda: ImageArrays({"x": PIXELS}), "series": lambda: SeriesArrays({"x": STEPS})}
EXAMPLES = pytest.mark.parametrize("kind", CELLS)


def table(kind, cells=None):
    frame = pd.DataFrame({"c": pd.Series(CELLS[kind] if cells is None else cells, dtype="str")})
    return Table(frame, "here", "", sources={"c": SOURCES[kind]()} if kind in SOURCES else {})


def fitted(kind):
    found = table(kind)
    schema, _ = infer_schema(found)
    return found, schema, fit_encoding(found.frame, schema, sources=found.sources)


def encoded(found, schema, encoding):
    return encode(found.frame, schema, encoding, sources=found.sources, strict=True)


def test_every_kind_of_a_schema_that_a_model_takes_is_read_and_deployed():
    assert {name for kind in KINDS for name in kind.reads} == set(MODEL_KINDS) == set(CELLS)
    assert [kind.name for kind in KINDS] == list(DEPLOYED)


@EXAMPLES
def test_a_column_is_recognized_with_a_reason(kind):
    _, schema, encoding = fitted(kind)
    (column,) = schema.columns
    assert (column.kind, column.role) == (kind, "feature")
    assert column.reason
    assert all(kind in kind_of(block).reads for block in encoding.blocks)


@EXAMPLES
def test_a_block_puts_into_the_model_what_it_says(kind):
    found, schema, encoding = fitted(kind)
    (block,) = encoding.blocks
    inputs = encoded(found, schema, encoding)
    assert list(inputs) == [one.name for one in block.inputs]
    for one in block.inputs:
        values = inputs[one.name]
        assert (values.shape, values.dtype.name) == ((ROWS, *one.shape), one.dtype)
        if one.meaning == "codes":
            assert values.max() < one.size
        if one.meaning == "amounts":
            assert np.isfinite(values).all()
    assert encoding.shapes == {name: values.shape[1:] for name, values in inputs.items()}


@EXAMPLES
def test_rows_are_encoded_one_by_one_as_together_and_none_as_none(kind):
    found, schema, encoding = fitted(kind)
    together = encoded(found, schema, encoding)
    for rows in (slice(3, 4), slice(0, 0)):
        some = encoded(replace(found, frame=found.frame.iloc[rows]), schema, encoding)
        for name, values in some.items():
            np.testing.assert_array_equal(values, together[name][rows], strict=True)


@EXAMPLES
def test_blocks_of_two_columns_lie_side_by_side(kind):
    found, schema, encoding = fitted(kind)
    twice = pd.DataFrame({"c": found.frame["c"], "d": found.frame["c"]})
    columns = (*schema.columns, replace(schema.columns[0], name="d"))
    sources = {name: source for source in found.sources.values() for name in ("c", "d")}
    both = fit_encoding(twice, replace(schema, columns=columns), sources=sources)
    inputs = encode(twice, replace(schema, columns=columns), both, sources=sources)
    alone = encoded(found, schema, encoding)
    slots = list(both.slots)
    assert [slot.column for slot, _ in slots] == ["c"] * len(alone) + ["d"] * len(alone)
    for slot, one in slots:
        own = slot.of(inputs)
        if slot.column == "d" and one.meaning == "ids":
            own = np.where(own > 1, own - one.size, own)  # its vocabulary follows that of the first
        np.testing.assert_array_equal(own, alone[slot.name])


@EXAMPLES
def test_an_encoding_is_the_same_after_json(kind):
    _, _, encoding = fitted(kind)
    text = to_json(encoding, format="x")
    assert from_json(Encoding, text, format="x", origin="") == encoding


@EXAMPLES
def test_a_profile_describes_the_values(kind):
    found, schema, _ = fitted(kind)
    (column,) = profile(found, schema)["columns"]
    assert column["missing"] == 0
    assert column["distinct"] == len(set(CELLS[kind]))
    assert column["examples"]


@EXAMPLES
def test_a_network_knows_the_rows_it_was_trained_on_and_no_others(kind):
    _, _, encoding = fitted(kind)
    assert known_encoding(encoding, encoding) == encoding
    assert known_encoding(Encoding(), encoding) is None


@EXAMPLES
def test_golden_cells_are_encoded_and_tell_what_is_unusual(kind):
    _, schema, encoding = fitted(kind)
    (block,) = encoding.blocks
    cells = block.golden(schema.columns[0], ROWS, np.random.default_rng(0))
    assert len(cells) == ROWS
    if isinstance(cells, np.ndarray):
        sources, frame = {"c": type(SOURCES[kind]())({"x": cells})}, table(kind).frame
    else:
        sources, frame = {}, pd.DataFrame({"c": cells})
    inputs = encode(frame, schema, encoding, sources=sources)
    assert all(len(values) == ROWS for values in inputs.values())
    assert all(notice.column == "c" for notice in query_notices(encoding, inputs))
    assert all(notice.column == "c" for notice in training_notices(encoding, inputs))


@pytest.mark.parametrize("kind", [kind for kind in CELLS if kind != "image"])
def test_cells_without_a_value_are_encoded(kind):
    found, schema, encoding = fitted(kind)
    inputs = encoded(table(kind, [None, "", *CELLS[kind][2:]]), schema, encoding)
    for name, values in inputs.items():
        np.testing.assert_array_equal(values[2:], encoded(found, schema, encoding)[name][2:])
        np.testing.assert_array_equal(values[0], values[1])


@EXAMPLES
def test_a_column_can_be_declined_or_fitted_from_few_rows(kind):
    found, schema, _ = fitted(kind)
    cells = Cells(schema.columns[0], found.frame.iloc[:2], found.sources.get("c"))
    assert any(one.fit(cells) is not None for one in KINDS if kind in one.reads)


@EXAMPLES
def test_the_client_and_the_files_of_others_know_the_kind(kind):
    found, schema, encoding = fitted(kind)
    deployed, (block,) = DEPLOYED[encoding.blocks[0].kind], encoding.blocks
    assert [one.columns for one in deployed.inputs([block])] == [("c",)] * len(deployed.inputs([block]))
    if kind == "image":
        return  # its client reads files: tests/deploy/test_source.py
    column, tables = (json.loads(to_json(one, format="x")) for one in (schema.columns[0], block))
    cells = list(STEPS) if kind == "series" else CELLS[kind]
    client = deployed.client({"c": cells}, [tables], {"c": column})
    for name, values in encoded(found, schema, encoding).items():
        np.testing.assert_array_equal(client[name], values, strict=True)


@EXAMPLES
def test_inputs_are_a_table_for_models_that_are_no_networks(kind):
    found, schema, encoding = fitted(kind)
    inputs = encoded(found, schema, encoding)
    tabular = kind_of(encoding.blocks[0]).tabular
    if tabular is None:
        assert all(values.ndim > 2 for values in inputs.values())
        return
    assert tabular({}, {}) is None
    table_ = tabular(inputs, {name: values[:5] for name, values in inputs.items()})
    assert table_ is not None
    assert table_.learned.shape == (ROWS, table_.query.shape[1])
    np.testing.assert_allclose(table_.query, table_.learned[:5], rtol=1e-5)
    assert table_.learned.dtype == table_.query.dtype == np.float32
