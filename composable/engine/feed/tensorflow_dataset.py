"""A `tf.data.Dataset` as chunks."""

from __future__ import annotations

from typing import Any

from composable.engine.feed.batches import Names
from composable.engine.feed.stream import StreamFeed, endless

_INFINITE = -1  # tf.data.INFINITE_CARDINALITY


def tensorflow_dataset_feed(dataset: Any, names: Names) -> StreamFeed:
    """A batched `tf.data.Dataset`, in its own order: seed and epoch can't be given to it.

    Args:
        dataset: Already batched, and without end it is refused.
        names: What the parts of its batches are called.

    Raises:
        DataError: If it never ends.
    """
    if int(dataset.cardinality()) == _INFINITE:
        raise endless("the tf.data.Dataset", "leave out .repeat(), or end an epoch with .take(n)")
    return StreamFeed(
        lambda _, __: dataset.as_numpy_iterator(), names, "the tf.data.Dataset", repeatable=False
    )
