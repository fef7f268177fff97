"""Room for graphs of more operations in a row than Python calls within each other: ResNet-1001, at 3,300."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

ROOM = 20_000  # calls within each other; Keras follows a model's graph with one per operation


@contextmanager
def deep_graphs() -> Iterator[None]:
    """Around whatever makes or loads a functional model; also as a decorator."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, ROOM))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
