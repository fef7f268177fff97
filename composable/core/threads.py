"""Apply a function in several threads; the results come in the order of the arguments."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def in_threads(function: Callable[[A], B], arguments: Iterable[A], *, workers: int) -> Iterator[B]:
    """`map(function, arguments)` with `workers` threads; two results per thread exist at a time."""
    if workers < 2:
        yield from map(function, arguments)
        return
    waiting: deque[Future[B]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for argument in arguments:
            waiting.append(pool.submit(function, argument))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
