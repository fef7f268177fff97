"""Batches of any size and structure become chunks of one size."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError, DataError
from composable.engine.feed.batches import UNNAMED, Names, rechunked, rows_of
from composable.engine.feed.chunk import ArraysFeed
from composable.engine.feed.recognize import as_feed
from composable.engine.rows import Rows

X = np.arange(6.0).reshape(3, 2)


def batches(*sizes, weights=False):
    start = 0
    for size in sizes:
        ids = np.arange(start, start + size)
        yield Rows({"id": ids}, (ids * 2,), ids / 10 if weights else None)
        start += size


@pytest.mark.parametrize("sizes", [(10,), (1,) * 10, (3, 0, 6, 1), (4, 4, 2)])
@pytest.mark.parametrize("rows", [1, 4, 10, 11])
@pytest.mark.parametrize("weights", [False, True])
def test_rests_are_carried_over_the_borders(sizes, rows, weights):
    chunks = list(rechunked(batches(*sizes, weights=weights), rows=rows, origin="test"))
    assert [len(chunk) for chunk in chunks] == [rows] * (10 // rows) + [10 % rows] * (10 % rows > 0)
    np.testing.assert_array_equal(np.concatenate([chunk.inputs["id"] for chunk in chunks]), np.arange(10))
    np.testing.assert_array_equal(np.concatenate([chunk.targets[0] for chunk in chunks]), np.arange(10) * 2)
    for chunk in chunks:
        if weights:
            np.testing.assert_array_equal(chunk.weights, chunk.inputs["id"] / 10)
        else:
            assert chunk.weights is None


@pytest.mark.parametrize("first", range(5))
def test_it_begins_at_any_chunk(first):
    every = list(rechunked(batches(3, 5, 2), rows=3, origin="test"))
    later = list(rechunked(batches(3, 5, 2), rows=3, first=first, origin="test"))
    assert [(c.number, c.inputs["id"].tolist()) for c in later] == [
        (c.number, c.inputs["id"].tolist()) for c in every[first:]
    ]


def test_batches_that_differ_are_refused_by_name():
    wide = [Rows({"x": np.zeros((2, 5))}, ()), Rows({"x": np.zeros((2, 6))}, ())]
    with pytest.raises(DataError, match=r"x is float64\[5\], later float64\[6\]"):
        list(rechunked(wide, rows=4, origin="test"))
    typed = [Rows({"x": np.zeros(2)}, ()), Rows({"x": np.zeros(2, "float32")}, ())]
    with pytest.raises(DataError, match=r"float64.*later float32"):
        list(rechunked(typed, rows=4, origin="test"))


@pytest.mark.parametrize(
    ("batch", "names"),
    [
        ((X, X, X[:, 0]), UNNAMED),
        ([X, X, X[:, 0]], UNNAMED),
        (({"inputs": X}, (X,), X[:, 0]), UNNAMED),
        (((X,), {"y": X}, X[:, 0]), Names(targets=("y",))),
    ],
)
def test_batches_are_taken_as_keras_fit_takes_them(batch, names):
    rows = rows_of(batch, names, origin="test")
    assert list(rows.inputs) == ["inputs"]
    assert len(rows.targets) == 1
    assert rows.weights is not None
    np.testing.assert_array_equal(rows.weights, X[:, 0])


def test_named_targets_come_in_the_order_of_the_heads():
    rows = rows_of((X, {"a": X, "b": X * 2}), Names(targets=("b", "a")), origin="test")
    assert rows.targets[0][0, 1] == 2 * rows.targets[1][0, 1]


def test_inputs_alone_have_no_targets():
    rows = rows_of(X, UNNAMED, origin="test")
    assert rows.targets == ()
    assert rows.weights is None


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((X, X, X, X), "4 parts"),
        (((X, X), X), "2, the names are 'inputs'"),
        ((X, {"a": X}), "the heads are"),
        ((X, X, {"a": X}), "per head"),
    ],
)
def test_other_structures_are_refused(batch, message):
    with pytest.raises(DataError, match=message):
        rows_of(batch, UNNAMED, origin="test")


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ({"x": X}, (X[:2],), "'x' has 3, 'target 0' 2"),
        ({"x": np.array(["a"])}, (), "'x' is <U1"),
        ({"x": np.array([None])}, (), "'x' is object"),
        ({"x": np.array(1.0)}, (), "0-D"),
        ({}, (X,), "gives none"),
    ],
)
def test_arrays_that_no_device_takes_are_refused(inputs, targets, message):
    with pytest.raises(DataError, match=message):
        ArraysFeed(inputs, targets)


@pytest.mark.parametrize(("rows", "first"), [(0, 0), (4, -1)])
def test_chunks_that_cannot_be_are_refused(rows, first):
    with pytest.raises(ConfigError, match="numbered from 0"):
        next(ArraysFeed({"x": X}, ()).chunks(seed=0, epoch=0, rows=rows, first=first))


class Counted(keras.utils.PyDataset):
    def __init__(self, batches, **options):
        super().__init__(**options)
        self.batches, self.calls = batches, []

    @property
    def num_batches(self):
        return self.batches

    def __getitem__(self, index):
        return np.full((2, 1), index)

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


@pytest.mark.parametrize("workers", [1, 4])
def test_a_py_dataset_is_told_of_its_epochs_and_read_by_its_workers(workers):
    dataset = Counted(20, workers=workers)
    feed = as_feed(dataset)
    seen = np.concatenate([chunk.inputs["inputs"] for chunk in feed.chunks(seed=0, epoch=0, rows=8)])
    assert sorted(seen[:, 0].tolist()) == sorted([*range(20), *range(20)])
    assert dataset.calls == ["begin", "end"]
    if workers > 1:
        one_by_one = as_feed(Counted(20)).chunks(seed=0, epoch=0, rows=8)
        np.testing.assert_array_equal(seen, np.concatenate([chunk.inputs["inputs"] for chunk in one_by_one]))


def test_a_py_dataset_without_end_is_refused():
    with pytest.raises(DataError, match="without end"):
        as_feed(Counted(None))


def test_a_tensorflow_dataset_without_end_or_batches_is_refused():
    tensorflow = pytest.importorskip("tensorflow")
    rows = tensorflow.data.Dataset.from_tensor_slices(X)
    with pytest.raises(DataError, match="without end"):
        as_feed(rows.batch(2).repeat())
    with pytest.raises(DataError, match="0-D"):
        list(as_feed(tensorflow.data.Dataset.range(3)).chunks(seed=0, epoch=0, rows=2))
