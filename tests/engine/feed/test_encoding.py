"""The product's own encoding: the same inputs chunk by chunk as for the whole table, from every store."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from composable.data.encoding import encode, fit_encoding
from composable.data.infer import infer_schema
from composable.data.read import read_table
from composable.engine.feed.recognize import as_feed
from composable.engine.rows import Rows

ROWS = 300
random = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "id": np.arange(ROWS) + 0.5,
        "level": random.integers(0, 4, ROWS),
        "color": random.choice(["red", "green", "blue", None], ROWS),
        "day": pd.date_range("2020-01-01", periods=ROWS).astype("datetime64[us]"),
        "flag": random.choice([True, False], ROWS),
    }
)


def csv(folder):
    FRAME.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def parquet(folder):
    table = pa.Table.from_pandas(FRAME)
    for name in ("color", "level"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table.column(name).dictionary_encode())
    pq.write_table(table, folder / "t.parquet", row_group_size=40)
    return folder / "t.parquet"


def copied_parquet(folder):
    return parquet(folder)


@pytest.mark.parametrize("store", [csv, parquet, copied_parquet])
def test_chunks_are_encoded_as_the_whole_table(store, tmp_path, monkeypatch):
    if store is copied_parquet:
        monkeypatch.setattr("composable.engine.feed.parquet.LARGE", 1)
    path = store(tmp_path)
    table = read_table(path)
    schema, _ = infer_schema(table)
    fitted = fit_encoding(table.frame, schema)
    whole = encode(table.frame, schema, fitted)
    where = next(slot.first for slot, _ in fitted.slots if slot.column == "id")

    feed = as_feed(
        path, encode=lambda frame: Rows(encode(frame, schema, fitted), ()), cache=tmp_path / "cache"
    )
    chunks = list(feed.chunks(seed=0, epoch=0, rows=64))
    order = np.argsort(np.concatenate([chunk.inputs["numbers"][:, where] for chunk in chunks]))
    assert set(whole) == set(chunks[0].inputs)
    for name, expected in whole.items():
        got = np.concatenate([chunk.inputs[name] for chunk in chunks])[order]
        np.testing.assert_array_equal(got, expected, strict=True)
