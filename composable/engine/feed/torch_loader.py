"""PyTorch's `DataLoader` as chunks."""

from __future__ import annotations

from typing import Any

from composable.engine.feed.batches import Names
from composable.engine.feed.stream import StreamFeed


def torch_loader_feed(loader: Any, names: Names) -> StreamFeed:
    """A `torch.utils.data.DataLoader`, in its own order: seed and epoch can't be given to it.

    Args:
        loader: Whose batches are tensors or arrays; its workers do their work.
        names: What the parts of its batches are called.
    """
    return StreamFeed(lambda _, __: iter(loader), names, "the DataLoader", repeatable=False)
