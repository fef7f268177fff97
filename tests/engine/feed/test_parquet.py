"""Parquet: the frames of `read_table`, large row groups copied, damage named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from composable.core.errors import ArtifactError, DataError
from composable.data.read import read_table
from composable.engine.feed import parquet
from composable.engine.feed.arrow import ArrowFeed
from composable.engine.feed.parquet import ParquetFeed, parquet_feed
from composable.engine.rows import Rows

TABLE = pa.table(
    {
        "id": pa.array(range(40)),
        "text": pa.array([None if i % 7 == 0 else f"t{i}" for i in range(40)], pa.string_view()),
        "kind": pa.array([None if i % 5 == 0 else f"k{i // 10}" for i in range(40)]).dictionary_encode(),
        "whole": pa.array([None if i % 3 == 0 else 2**60 + i for i in range(40)]),
        "empty": pa.nulls(40),
    }
)


def collected(feed_of, *, rows=16):
    frames = []

    def encode(frame):
        frames.append(frame)
        return Rows({"id": frame["id"].to_numpy("int32")}, ())

    ids = [chunk.inputs["id"] for chunk in feed_of(encode).chunks(seed=0, epoch=0, rows=rows)]
    return pd.concat(frames).sort_values("id").reset_index(drop=True), np.concatenate(ids)


def test_encoding_sees_the_frames_of_read_table(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE, path, row_group_size=6)
    frame, ids = collected(lambda encode: parquet_feed((path,), encode, cache=None))
    expected = read_table(path).frame
    assert sorted(ids.tolist()) == list(range(40))
    pd.testing.assert_frame_equal(frame, expected.assign(kind=expected["kind"].astype("str")))


def test_large_row_groups_are_read_from_a_copy_where_there_is_a_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "LARGE", 30)
    path, cache = tmp_path / "t.parquet", tmp_path / "cache"
    pq.write_table(TABLE, path)
    assert isinstance(parquet_feed((path,), list, cache=None), ParquetFeed)
    assert isinstance(parquet_feed((path,), list, cache=cache), ArrowFeed)
    frame, _ = collected(lambda encode: parquet_feed((path,), encode, cache=cache))
    expected = read_table(path).frame
    pd.testing.assert_frame_equal(frame, expected.assign(kind=expected["kind"].astype("str")))

    [copy] = cache.iterdir()
    copy.write_bytes(copy.read_bytes()[:-20])
    with pytest.raises(ArtifactError, match="delete it"):
        parquet_feed((path,), list, cache=cache)


def test_small_row_groups_are_read_where_they_lie(tmp_path):
    path, cache = tmp_path / "t.parquet", tmp_path / "cache"
    pq.write_table(TABLE, path)
    assert isinstance(parquet_feed((path,), list, cache=cache), ParquetFeed)
    assert not cache.exists()


def test_files_of_other_columns_are_refused_by_name(tmp_path):
    pq.write_table(TABLE, tmp_path / "a.parquet")
    pq.write_table(TABLE.drop_columns("kind"), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet differs"):
        parquet_feed((tmp_path / "a.parquet", tmp_path / "b.parquet"), list, cache=None)


@pytest.mark.parametrize("cut", [20, 1000])
def test_damaged_files_are_named(tmp_path, cut):
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE, path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match=r"whole(.|\n)*t\.parquet"):
        parquet_feed((path,), list, cache=None)


def test_damage_in_a_row_group_is_named_when_it_is_read(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE, path)
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"t\.parquet"):
        collected(lambda encode: parquet_feed((path,), encode, cache=None))


def test_no_rows_are_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE.slice(0, 0), path)
    with pytest.raises(DataError, match="needs rows"):
        parquet_feed((path,), list, cache=None)


def test_nested_columns_are_refused_by_name(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": [1], "deep": [[1, 2]]}), path)
    with pytest.raises(DataError, match="'deep'"):
        collected(lambda encode: parquet_feed((path,), encode, cache=None))


def test_an_encoding_that_drops_rows_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE, path)
    feed = parquet_feed((path,), lambda frame: Rows({"id": np.zeros(len(frame) - 1)}, ()), cache=None)
    with pytest.raises(DataError, match="40 rows became 39"):
        list(feed.chunks(seed=0, epoch=0, rows=64))
