"""The parts of an epoch that are trained at a stretch: all of it, or one chunk after another of a feed.

The next chunks are made in a background thread while the present one is used.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from queue import Empty, Queue
from typing import TypeVar

import numpy as np

from composable.core.errors import ConfigError
from composable.engine.cohort import Cohort
from composable.engine.feed.chunk import Chunk, Feed
from composable.engine.rows import Rows, shuffled

CHUNK = 16_384  # rows of a chunk, more or less
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Segment:
    """Steps of an epoch whose rows are on the device together.

    Attributes:
        first: The number of its first step in the epoch.
        steps: How many.
        order: (instances, steps, rows of a step) row numbers.
        counted: Which of those count; None for all.
        show: Brings their rows to the device.
    """

    first: int
    steps: int
    order: np.ndarray
    counted: np.ndarray | None
    show: Callable[[], None]


def segments(cohort: Cohort, epoch: int, step: int) -> Generator[Segment]:
    """Those of an epoch that end after `step` steps of it."""
    if cohort.feed is not None:
        yield from _chunks(cohort, cohort.feed, epoch, step)
        return
    plan = cohort.batch_plan
    taken = [shuffled(one.rows, plan, seed=one.seed, epoch=epoch) for one in cohort.instances]
    order, counted = (np.stack(parts) for parts in zip(*taken, strict=True))
    yield Segment(0, plan.steps, order, None if counted.all() else counted, lambda: None)


def _chunks(cohort: Cohort, feed: Feed, epoch: int, step: int) -> Iterator[Segment]:
    """Every chunk is as long for the device; the last one is filled up with rows that don't count."""
    plan = cohort.batch_plan
    steps = min(plan.steps, max(1, CHUNK // plan.size))
    rows, seed = steps * plan.size, cohort.instances[0].seed
    with closing(prefetched(feed.chunks(seed=seed, epoch=epoch, rows=rows, first=step // steps))) as chunks:
        for chunk in chunks:
            indices = np.arange(rows).reshape(steps, plan.size)
            counted = indices < len(chunk)
            used = int(counted.any(axis=1).sum())
            order, counted = (
                _for_all(cohort, values[:used]) for values in (indices.astype("int32"), counted)
            )
            show = partial(cohort.program.show, _filled(chunk, rows))
            yield Segment(chunk.number * steps, used, order, None if counted.all() else counted, show)


def _filled(chunk: Chunk, rows: int) -> Rows:
    indices = np.arange(rows) % len(chunk)
    return Rows(chunk.inputs, chunk.targets, chunk.weights).take(indices)


def _for_all(cohort: Cohort, values: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values, (len(cohort), *values.shape))


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


def prefetched(items: Iterable[T], *, ahead: int = 2) -> Generator[T, None, None]:
    """The items, in order, of which up to `ahead` wait ready.

    With the one in use and the one being made, `ahead` + 2 items exist at most. The thread starts with the
    first `next` and has ended when the generator is exhausted or closed, which also closes `items`. Where a
    loop may end early, `contextlib.closing` closes it at once rather than when it is collected.

    Args:
        items: What is made; it is iterated in the background thread alone.
        ahead: How many items may wait.

    Raises:
        ConfigError: If `ahead` is less than one.
        BaseException: Whatever making an item raised, with its traceback, after the items before it.
    """
    if ahead < 1:
        raise ConfigError("At least one item must be made ahead.", received=f"ahead={ahead}")
    return _prefetched(items, ahead)


def _prefetched(items: Iterable[T], ahead: int) -> Generator[T, None, None]:
    ready: Queue[T | _End] = Queue(maxsize=ahead)
    stopped = threading.Event()
    # A daemon, so that a program can end while an item that takes long is still being made.
    thread = threading.Thread(target=_make, args=(items, ready, stopped), name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
            del item  # or it would live on beside the next one
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        _drain(ready)
        if thread is not threading.current_thread():  # where the garbage collector of that thread closes this
            thread.join()


def _make(items: Iterable[T], ready: Queue[T | _End], stopped: threading.Event) -> None:
    try:
        _put_all(iter(items), ready, stopped)
        end = _End()
    except BaseException as error:  # noqa: BLE001 (raised again where the items are used)
        end = _End(error)
    if not stopped.is_set():
        ready.put(end)


def _put_all(items: Iterator[T], ready: Queue[T | _End], stopped: threading.Event) -> None:
    try:
        for item in items:
            ready.put(item)
            del item
            if stopped.is_set():
                return
    finally:
        if isinstance(items, Generator):
            items.close()


def _drain(ready: Queue[T | _End]) -> None:
    """Make room for the one item that the thread may still be putting; after it, the thread sees the stop."""
    while True:
        try:
            ready.get_nowait()
        except Empty:
            return
