"""Datasets of Keras, TensorFlow and PyTorch, in batches of their own size, cut anew into chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from composable.core.errors import DataError
from composable.core.seeds import derive
from composable.core.threads import in_threads
from composable.engine.feed.batches import Names, rechunked, rows_of
from composable.engine.feed.chunk import Chunk, check_chunk

_INFINITE = -1  # tf.data.INFINITE_CARDINALITY


@dataclass(frozen=True, eq=False)
class StreamFeed:
    """Batches as chunks.

    To resume, the rows before the position are read and left out, which is exact as long as the source gives
    the same rows again.

    Attributes:
        batches: From seed and epoch to the batches of that epoch, as Keras `fit` takes them.
        names: Those of their parts.
        origin: The source, for errors.
        repeatable: Whether `batches` heeds seed and epoch.
    """

    batches: Callable[[int, int], Iterator[Any]]
    names: Names
    origin: str
    repeatable: bool
    rows = None

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`."""
        check_chunk(rows, first)
        batches = (rows_of(batch, self.names, origin=self.origin) for batch in self.batches(seed, epoch))
        return rechunked(batches, rows=rows, first=first, origin=self.origin)


def py_dataset_feed(dataset: keras.utils.PyDataset, names: Names) -> StreamFeed:
    """A `keras.utils.PyDataset`: its batches in an order by seed and epoch, as Keras `fit` shuffles them too.

    Which rows are in a batch is up to the dataset. Where that changes between epochs (`on_epoch_end`), the
    dataset must keep account of them. Its `workers` are threads here, `use_multiprocessing` or not.

    Args:
        dataset: Of a known number of batches.
        names: Those of the parts of its batches.

    Raises:
        DataError: If it never ends.
    """
    if dataset.num_batches is None:
        raise _endless("the PyDataset", "let num_batches be the number of batches of an epoch")

    def batches(seed: int, epoch: int) -> Iterator[Any]:
        dataset.on_epoch_begin()
        order = np.random.default_rng(derive(seed, "feed", epoch)).permutation(dataset.num_batches or 0)
        yield from in_threads(dataset.__getitem__, order.tolist(), workers=dataset.workers)
        dataset.on_epoch_end()

    return StreamFeed(batches, names, "the PyDataset", repeatable=True)


def tensorflow_dataset_feed(dataset: Any, names: Names) -> StreamFeed:
    """A batched `tf.data.Dataset`, in its own order, whatever the seed and the epoch.

    Args:
        dataset: Already batched, and without end it is refused.
        names: Those of the parts of its batches.

    Raises:
        DataError: If it never ends.
    """
    if int(dataset.cardinality()) == _INFINITE:
        raise _endless("the tf.data.Dataset", "leave out .repeat(), or end an epoch with .take(n)")
    return StreamFeed(
        lambda _, __: dataset.as_numpy_iterator(), names, "the tf.data.Dataset", repeatable=False
    )


def torch_loader_feed(loader: Any, names: Names) -> StreamFeed:
    """A `torch.utils.data.DataLoader`, in its own order, whatever the seed and the epoch.

    Args:
        loader: Whose batches are tensors or arrays; its workers do their work.
        names: Those of the parts of its batches.
    """
    return StreamFeed(lambda _, __: iter(loader), names, "the DataLoader", repeatable=False)


def _endless(origin: str, remedy: str) -> DataError:
    """The error for a source that never ends."""
    return DataError("An epoch must end.", received=f"{origin} is without end", remedy=remedy)
