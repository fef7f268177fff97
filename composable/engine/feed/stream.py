"""Sources with an order of their own, in batches of their own size, cut anew into chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from composable.core.errors import DataError
from composable.engine.feed.batches import Names, rechunked, rows_of
from composable.engine.feed.chunk import Chunk, check_chunk


@dataclass(frozen=True, eq=False)
class StreamFeed:
    """Batches as chunks.

    To resume, the rows before the position are read and left out, which is exact as long as the source gives
    the same rows again.

    Attributes:
        batches: From seed and epoch to the batches of that epoch, as Keras `fit` takes them.
        names: What their parts are called.
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


def endless(origin: str, remedy: str) -> DataError:
    """The error for a source that never ends."""
    return DataError("An epoch must end.", received=f"{origin} is without end", remedy=remedy)
