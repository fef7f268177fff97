"""A `keras.utils.PyDataset` as chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from composable.core.seeds import derive
from composable.core.threads import in_threads
from composable.engine.feed.batches import Names
from composable.engine.feed.stream import StreamFeed, endless


def py_dataset_feed(dataset: keras.utils.PyDataset, names: Names) -> StreamFeed:
    """A `keras.utils.PyDataset`: its batches in an order by seed and epoch, as Keras `fit` shuffles them too.

    Which rows are in a batch is up to the dataset. Where that changes between epochs (`on_epoch_end`), the
    dataset must keep account of them. Its `workers` are threads here, `use_multiprocessing` or not.

    Args:
        dataset: Of a known number of batches.
        names: What the parts of its batches are called.

    Raises:
        DataError: If it never ends.
    """
    if dataset.num_batches is None:
        raise endless("the PyDataset", "let num_batches be the number of batches of an epoch")

    def batches(seed: int, epoch: int) -> Iterator[Any]:
        dataset.on_epoch_begin()
        order = np.random.default_rng(derive(seed, "feed", epoch)).permutation(dataset.num_batches or 0)
        yield from in_threads(dataset.__getitem__, order.tolist(), workers=dataset.workers)
        dataset.on_epoch_end()

    return StreamFeed(batches, names, "the PyDataset", repeatable=True)
