"""Whatever bytes a file holds, reading ends soon, in a table or in one of our errors."""

import contextlib
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from composable.core.errors import ComposableError
from composable.core.records import from_json, to_json
from composable.data.encoding import encode, fit_encoding
from composable.data.infer import infer_schema
from composable.data.profile import profile
from composable.data.read import read_table
from composable.data.schema import Schema

PIECES = st.sampled_from(
    [
        b",", b";", b"\t", b"\n", b"\r", b'"', b"'", b"1", b"-1.5", b"1,5", b"1e400", b"NA", b"?", b"",
        b"a b", b"=x", b"2020-02-30", b"01/02/2020", b"\xff", b"\xef\xbb\xbf", b"\0", "é".encode(),
    ]
)  # fmt: skip
FILES = st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=80).map(b"".join))
NAMES = st.sampled_from(["t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t"])


def read_and_look(folder, content: bytes, name: str) -> None:
    path = folder / name
    path.write_bytes(content)
    started = time.monotonic()
    with contextlib.suppress(ComposableError):
        table = read_table(path)
        schema, _ = infer_schema(table)
        profile(table, schema)
    assert time.monotonic() - started < 2.0


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=FILES, name=NAMES)
def test_random_bytes_give_a_table_or_our_error(tmp_path, content, name):
    read_and_look(tmp_path, content, name)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(FILES, FILES.map(lambda cells: b"a,b\n" + cells)), name=NAMES)
def test_more_random_bytes_give_a_table_or_our_error(tmp_path, content, name):
    read_and_look(tmp_path, content, name)


CELLS = st.sampled_from(
    [
        "", " ", "?", "NA", "none", "-", "1", "2", "3.0", "-4.5", "1,5", "1,234", "1.234,5", "€5", "5%",
        "5 kg", "inf", "1e400", "007", "20200131", "2020-01-31", "2020-02-30", "01/02/2020",
        "31.01.2020 14:00", "2020-01-01T00:00:00+02:00", "yes", "No", "a", "b c", "some words in a row",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(CELLS, min_size=1, max_size=4).flatmap(
        lambda few: st.lists(st.sampled_from(few), min_size=1, max_size=30)
    )
)
def test_what_was_trained_on_can_be_predicted(cells):
    table = read_table({"x": cells, "y": ["1"] * len(cells)})
    schema, _ = infer_schema(table, ("y",))
    encoding = fit_encoding(table.frame, schema)
    strict = encode(table.frame, schema, encoding, strict=True)
    lenient = encode(table.frame, schema, encoding)
    assert all(np.array_equal(strict[name], lenient[name], equal_nan=True) for name in lenient)
    assert from_json(Schema, to_json(schema, format="schema"), format="schema", origin="") == schema
