"""Training from rows that don't fit into memory: they are fed in chunks, the others are held."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from composable.data.split import Rotation
from composable.engine.cohort import Instance
from composable.engine.feed.arrays import ArraysFeed
from composable.engine.rows import Rows
from composable.engine.settings import Settings


def is_mapped(inputs: Mapping[str, np.ndarray]) -> bool:
    """Whether some of the inputs lie in a file."""
    return any(isinstance(values, np.memmap) for values in inputs.values())


def streamed(
    rows: Rows, part: Rotation, asked: Mapping[str, np.ndarray], seed: int, settings: Settings
) -> tuple[Rows, Instance, ArraysFeed]:
    """What a cohort of one takes that learns from a feed.

    Args:
        rows: All rows of the table.
        part: Which of them are which.
        asked: The inputs of the rows that the network is asked about, those for validation first.
        seed: Of the instance.
        settings: Of its training.

    Returns:
        The rows that are asked about; the instance, watched on those for validation; and the feed.
    """
    targets = tuple(
        _filled(target[part.validation], len(next(iter(asked.values())))) for target in rows.targets
    )
    feed = ArraysFeed(rows.inputs, rows.targets, rows.weights, among=part.train)
    nothing = np.array([], "int32")
    return Rows(asked, targets), Instance(nothing, np.arange(len(part.validation)), seed, settings), feed


def _filled(targets: np.ndarray, rows: int) -> np.ndarray:
    """The targets, with zeros for the rows that are asked about alone."""
    return np.concatenate([targets, np.zeros((rows - len(targets), *targets.shape[1:]), targets.dtype)])
