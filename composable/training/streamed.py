"""Training from rows that don't fit into memory: they are fed in chunks, the others are held."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from composable.data.split import Fold
from composable.engine.cohort import Instance
from composable.engine.feed.arrays import ArraysFeed
from composable.engine.rows import Rows
from composable.engine.settings import Settings


def is_mapped(inputs: Mapping[str, np.ndarray]) -> bool:
    """Whether some of the inputs lie in a file."""
    return any(isinstance(values, np.memmap) for values in inputs.values())


def mapped_feed(rows: Rows, part: Fold) -> ArraysFeed:
    """The training rows of a part, of which some inputs lie in a file."""
    return ArraysFeed(rows.inputs, rows.targets, rows.weights, among=part.train)


def watched(
    rows: Rows, part: Fold, query: Mapping[str, np.ndarray], seed: int, settings: Settings
) -> tuple[Rows, Instance]:
    """What a cohort of one takes that learns from a feed.

    Args:
        rows: All rows of the table.
        part: Which of them are which.
        query: The inputs of the query rows, those for validation first.
        seed: Of the instance.
        settings: Of its training.

    Returns:
        The query rows, and the instance, watched on those for validation.
    """
    count = len(next(iter(query.values())))
    targets = tuple(_filled(target[part.held_out], count) for target in rows.targets)
    weights = None if rows.weights is None else _filled(rows.weights[part.held_out], count)
    nothing = np.array([], "int32")
    instance = Instance(nothing, np.arange(len(part.held_out)), seed, settings)
    return Rows(query, targets, weights), instance


def _filled(values: np.ndarray, rows: int) -> np.ndarray:
    """Targets or weights, with zeros for the query rows that are not for validation."""
    return np.concatenate([values, np.zeros((rows - len(values), *values.shape[1:]), values.dtype)])
