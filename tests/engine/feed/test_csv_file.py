"""Text tables: read as `read_table` reads them, copied once, found out when changed."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pandas as pd
import pytest

from composable.core.errors import DataError, SetupError
from composable.data.read import read_table
from composable.engine.feed.arrow import csv_feed
from composable.engine.rows import Rows

TEXT = 'id;text;number\n0;"two\nlines; one cell";1,5\n\n1;"a ""quoted"" word";\n2;Zürich;-3\n'


def read_back(path, cache, **options):
    frames = []

    def encode(frame):
        frames.append(frame)
        return Rows({"id": frame["id"].astype("int32").to_numpy()}, ())

    feed = csv_feed(path, encode, cache=cache, **options)
    for _ in feed.chunks(seed=0, epoch=0, rows=10_000):
        pass
    frame = pd.concat(frames)
    return frame.sort_values("id", key=lambda ids: ids.astype(int)).reset_index(drop=True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", TEXT.encode()),
        ("packed.csv.gz", gzip.compress(TEXT.encode())),
        ("windows.csv", TEXT.replace("\n", "\r\n").encode("cp1252")),
        ("wide.csv", TEXT.encode("utf-16")),
        ("tabs.tsv", TEXT.replace(";", "\t").encode("utf-8-sig")),
    ],
)
def test_every_cell_is_that_of_read_table(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    expected = read_table(path)
    pd.testing.assert_frame_equal(read_back(path, tmp_path / "cache"), expected.frame)
    pd.testing.assert_frame_equal(read_back(path, tmp_path / "cache", form=expected.format), expected.frame)


def test_many_record_batches_hold_every_row(tmp_path):
    path = tmp_path / "long.csv"
    frame = pd.DataFrame({"id": np.arange(5000), "text": [f"row {i}" for i in range(5000)]})
    frame.to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_back(path, tmp_path), read_table(path).frame)


def test_the_copy_is_made_once_and_anew_when_the_file_changed(tmp_path):
    path, cache = tmp_path / "t.csv", tmp_path / "cache"
    path.write_text("id,x\n0,1\n1,2\n")
    read_back(path, cache)
    [copy] = cache.iterdir()
    written = copy.stat().st_mtime_ns
    read_back(path, cache)
    assert [entry.stat().st_mtime_ns for entry in cache.iterdir()] == [written]

    path.write_text("id,x\n0,1\n1,3\n")
    os.utime(path, ns=(0, 0))  # the same size
    assert read_back(path, cache)["x"].tolist() == ["1", "3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3"),
        ('a,b\n1,2\n"3,4\n', "line 3 has a quote that never closes"),
        ("a,b\n", "header and no rows"),
        ("", "is empty"),
        ("a,a\n1,2\n", "columns 1, 2"),
        ("PAR1", "Parquet"),
    ],
)
def test_what_is_no_table_is_refused_and_leaves_no_copy(tmp_path, text, message):
    path, cache = tmp_path / "t.csv", tmp_path / "cache"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_back(path, cache)
    assert not cache.exists() or list(cache.iterdir()) == []


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 100_000)[:-10])
    with pytest.raises(DataError, match="whole"):
        read_back(path, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,x\n0,1\n")
    with pytest.raises(SetupError, match="cache folder"):
        read_back(path, path / "below a file")
