"""The parts of an epoch that are trained at a stretch: all of it, or one chunk after another of a feed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np

from composable.engine.cohort import Cohort
from composable.engine.feed.chunk import Chunk, Feed
from composable.engine.feed.prefetch import prefetched
from composable.engine.rows import Rows, shuffled

CHUNK = 16_384  # rows of a chunk, more or less


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
