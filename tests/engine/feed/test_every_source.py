"""What holds for every source: each row once per epoch, in an order by seed and epoch, from any chunk on."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from composable.engine.feed.batches import Names
from composable.engine.feed.image_folder import ImageShape
from composable.engine.feed.recognize import as_feed
from composable.engine.rows import BatchPlan, Rows, shuffled
from composable.engine.segments import prefetched

TOTAL = 203
IDS = np.arange(TOTAL, dtype="float32")[:, None]
FRAME = pd.DataFrame({"id": np.arange(TOTAL), "half": np.arange(TOTAL) / 2})
NAMES = Names(inputs=("id",))


def encode(frame):
    ids = frame["id"].astype("float32").to_numpy()[:, None]
    return Rows({"id": ids}, (frame["half"].astype("float32").to_numpy()[:, None],))


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return len(range(0, TOTAL, 10))

    def __getitem__(self, index):
        taken = slice(10 * index, 10 * index + 10)
        return IDS[taken], IDS[taken] / 2


def arrays(folder):
    return as_feed((IDS, IDS / 2), names=NAMES)


def mapped_arrays(folder):
    wide = np.repeat(IDS, 2000, axis=1)  # 8 rows fill a read of 64 KiB
    np.save(folder / "wide.npy", wide)
    mapped = np.load(folder / "wide.npy", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    return as_feed(Rows({"id": mapped}, (IDS / 2,)))


def parquet(folder):
    pq.write_table(pa.Table.from_pandas(FRAME), folder / "t.parquet", row_group_size=20)
    return as_feed(folder / "t.parquet", encode=encode)


def parquet_of_one_group(folder):
    pq.write_table(pa.Table.from_pandas(FRAME), folder / "t.pq")
    return as_feed(folder / "t.pq", encode=encode)


def several_parquet(folder):
    for part, start in enumerate(range(0, TOTAL, 70)):
        frame = FRAME.iloc[start : start + 70]
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{part}.parquet")
    return as_feed(folder, encode=encode)


def csv(folder):
    FRAME.to_csv(folder / "t.csv", index=False)
    return as_feed(folder / "t.csv", encode=encode, cache=folder / "cache")


def images(folder):
    for row in range(TOTAL):
        path = folder / ("high" if row > 99 else "low") / f"{row:03}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((2, 2), row, "uint8")).save(path)
    return as_feed(folder, images=ImageShape(2, 2, 1), names=NAMES)


def py_dataset(folder):
    return as_feed(Batches(), names=NAMES)


def tensorflow_dataset(folder):
    tensorflow = pytest.importorskip("tensorflow")
    return as_feed(tensorflow.data.Dataset.from_tensor_slices((IDS, IDS / 2)).batch(10), names=NAMES)


def torch_loader(folder):
    torch = pytest.importorskip("torch")
    rows = torch.utils.data.TensorDataset(torch.tensor(IDS), torch.tensor(IDS / 2))
    return as_feed(torch.utils.data.DataLoader(rows, batch_size=10), names=NAMES)


SHUFFLED = [arrays, mapped_arrays, parquet, parquet_of_one_group, several_parquet, csv, images, py_dataset]
EVERY = [*SHUFFLED, tensorflow_dataset, torch_loader]


@pytest.fixture
def feed(request, tmp_path):
    return request.param(tmp_path)


def ids(chunk):
    return chunk.inputs["id"].reshape(len(chunk), -1)[:, 0].astype(int)


def epoch_ids(feed, *, seed=1, epoch=0, rows=64, first=0):
    return [ids(chunk).tolist() for chunk in feed.chunks(seed=seed, epoch=epoch, rows=rows, first=first)]


def order_of(feed, *, seed=1, epoch=0):
    return [row for chunk in epoch_ids(feed, seed=seed, epoch=epoch) for row in chunk]


@pytest.mark.parametrize("feed", EVERY, indirect=True)
@pytest.mark.parametrize("rows", [7, 64, TOTAL, 1000])
def test_each_row_comes_once_with_its_target_in_chunks_of_one_size(feed, rows):
    chunks = list(feed.chunks(seed=1, epoch=0, rows=rows))
    seen = np.concatenate([ids(chunk) for chunk in chunks])
    np.testing.assert_array_equal(np.sort(seen), np.arange(TOTAL))
    assert [len(chunk) for chunk in chunks[:-1]] == [rows] * (len(chunks) - 1)
    assert [chunk.number for chunk in chunks] == list(range(-(-TOTAL // rows)))
    assert feed.rows in (None, TOTAL)
    for chunk in chunks:
        assert [target.shape for target in chunk.targets] == [(len(chunk), 1)]
        if "high" not in getattr(feed, "classes", ()):
            np.testing.assert_array_equal(chunk.targets[0][:, 0], ids(chunk) / 2)


@pytest.mark.parametrize("feed", SHUFFLED, indirect=True)
def test_the_order_is_that_of_seed_and_epoch(feed):
    assert feed.repeatable
    order = order_of(feed)
    assert order_of(feed) == order
    assert order_of(feed, epoch=1) != order
    assert order_of(feed, seed=2) != order
    assert order != sorted(order)


@pytest.mark.parametrize("feed", EVERY, indirect=True)
@pytest.mark.parametrize("killed_in", [0, 1, 3])
def test_after_a_kill_no_row_is_left_out_or_seen_twice(feed, killed_in):
    before = []
    for chunk in prefetched(feed.chunks(seed=3, epoch=2, rows=64)):
        if chunk.number == killed_in:
            break
        before.append(ids(chunk).tolist())
    after = epoch_ids(feed, seed=3, epoch=2, first=killed_in)
    assert before + after == epoch_ids(feed, seed=3, epoch=2)


@pytest.mark.parametrize("feed", EVERY, indirect=True)
def test_beyond_the_last_chunk_nothing_is_left(feed):
    assert epoch_ids(feed, first=4) == []


def test_arrays_come_in_the_order_of_the_compiled_epoch(tmp_path):
    order, counts = shuffled(np.arange(TOTAL), BatchPlan(1, TOTAL), seed=1, epoch=0)
    assert counts.all()
    assert order_of(arrays(tmp_path)) == order.ravel().tolist()


@pytest.mark.parametrize("feed", [parquet, csv, mapped_arrays], indirect=True)
def test_a_chunk_of_a_file_mixes_rows_from_all_over_it(feed):
    for chunk in feed.chunks(seed=1, epoch=0, rows=64):
        if len(chunk) == 64:
            assert np.ptp(ids(chunk)) > 80
            assert np.mean(np.abs(np.diff(ids(chunk))) == 1) < 0.2


@pytest.mark.parametrize("source", [csv, parquet, parquet_of_one_group])
@pytest.mark.parametrize("rows", [7, 64, 500])
def test_rows_that_are_left_out_are_never_fed_and_can_still_be_read(tmp_path, source, rows):
    without = np.array([0, 3, 20, 21, 100, 202])
    feed = replace(source(tmp_path), without=without)
    fed = np.concatenate([chunk.inputs["id"] for chunk in feed.chunks(seed=1, epoch=2, rows=rows)]).ravel()
    assert sorted(fed.tolist()) == sorted(set(range(TOTAL)) - set(without.tolist()))
    assert feed.rows == TOTAL - len(without)
    assert feed.frame(without)["id"].astype("int").tolist() == without.tolist()
