"""A file larger than the bound passes through it: what is in memory depends on the chunk, not on the file."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from composable.engine.feed.arrow import csv_feed
from composable.engine.feed.parquet import parquet_feed
from composable.engine.rows import Rows
from composable.engine.segments import prefetched

ROWS, COLUMNS, CHUNK = 60_000, 10, 2_000
CHUNK_BYTES = CHUNK * COLUMNS * 4
NAMES = [f"c{i}" for i in range(COLUMNS)]


def encode(frame):
    return Rows({"x": frame[NAMES].astype("float32").to_numpy("float32")}, ())


def peak(feed):
    """The most bytes that NumPy and Python, and that Arrow, held at a time: (Python, Arrow)."""
    pool = pa.default_memory_pool()
    before, most, seen = pool.bytes_allocated(), 0, 0
    tracemalloc.start()
    try:
        for chunk in prefetched(feed.chunks(seed=0, epoch=0, rows=CHUNK), ahead=2):
            seen += len(chunk)
            most = max(most, pool.bytes_allocated() - before)
        assert seen == ROWS
        return tracemalloc.get_traced_memory()[1], most
    finally:
        tracemalloc.stop()


@pytest.fixture
def parquet(tmp_path):
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=ROWS).astype("float32") for name in NAMES}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=500)
    return tmp_path / "t.parquet"


def test_parquet_of_thirty_chunks_passes_through_the_memory_of_a_few(parquet):
    python, arrow = peak(parquet_feed((parquet,), encode, cache=None))
    # `ahead` + 2 chunks, and the raw frame and copies of the one being made; the file is thirty.
    assert python < 12 * CHUNK_BYTES
    assert arrow < 12 * CHUNK_BYTES


def test_text_of_thirty_chunks_passes_through_the_memory_of_a_few(parquet, tmp_path):
    path = tmp_path / "t.csv"
    pq.read_table(parquet).to_pandas().round(3).to_csv(path, index=False)
    python, arrow = peak(csv_feed(path, encode, cache=tmp_path))
    raw = CHUNK * COLUMNS * 14  # bytes of a chunk as text
    assert python < 12 * CHUNK_BYTES + 6 * raw
    assert arrow < 6 * raw
