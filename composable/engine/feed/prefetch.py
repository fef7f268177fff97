"""Make the next items in a background thread while the present one is used."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, Queue
from typing import TypeVar

from composable.core.errors import ConfigError

T = TypeVar("T")


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
