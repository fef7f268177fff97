"""Shapley values: how much each raw column of a row adds to a prediction.

What a column adds is the mean, over the orders in which columns may become known, of how the prediction
changes when it does; columns that are not yet known have the values of background rows. Exact for few
columns; for more, orders are sampled, each followed by its reverse (Strumbelj & Kononenko 2014, "Explaining
prediction models and individual predictions with feature contributions", Knowledge and Information Systems
41, algorithm 2). Either way a row's values sum to its prediction minus the mean prediction of the background.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import factorial

import numpy as np

from composable.explain.explained_model import Slots

EXACT = 6  # columns up to which all 2^columns coalitions are looked at
_MOST_EVALUATIONS = 8192  # per row
_FEWEST_BACKGROUND = 4

Scores = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""From the inputs of some rows to (rows, scores)."""


def background_size(columns: int, rows: int) -> int:
    """How many of the background rows are used: fewer where each costs many evaluations."""
    each = 2**columns if columns <= EXACT else 2 * (columns + 1)
    return min(rows, max(_FEWEST_BACKGROUND, _MOST_EVALUATIONS // each))


def shapley_values(
    scores: Scores,
    row: Mapping[str, np.ndarray],
    background: Mapping[str, np.ndarray],
    slots: Slots,
    *,
    seed: int,
) -> np.ndarray:
    """What each raw column of one row adds to each score.

    Args:
        scores: The model.
        row: The inputs of the row, without an axis of rows.
        background: The inputs of the rows that it is compared with.
        slots: Where each raw column lies in the inputs.
        seed: Of the sampled orders.

    Returns:
        (columns, scores), columns in the order of `slots`.
    """
    if len(slots) <= EXACT:
        return _exact(scores, row, background, slots)
    return _sampled(scores, row, background, slots, seed)


def _exact(
    scores: Scores, row: Mapping[str, np.ndarray], background: Mapping[str, np.ndarray], slots: Slots
) -> np.ndarray:
    """The sum over all coalitions of columns, equation 1 of the paper."""
    columns, rows = len(slots), len(next(iter(background.values())))
    coalitions = (np.arange(2**columns)[:, None] >> np.arange(columns)) & 1 == 1
    mixed = _mixed(
        row, background, slots, np.repeat(coalitions, rows, axis=0), np.tile(np.arange(rows), 2**columns)
    )
    means = scores(mixed).reshape(len(coalitions), rows, -1).mean(axis=1)
    sizes = coalitions.sum(axis=1)
    found = []
    for column in range(columns):
        without = np.flatnonzero(~coalitions[:, column])
        weights = [factorial(n) * factorial(columns - n - 1) / factorial(columns) for n in sizes[without]]
        found.append(weights @ (means[without | (1 << column)] - means[without]))
    return np.array(found)


def _sampled(
    scores: Scores,
    row: Mapping[str, np.ndarray],
    background: Mapping[str, np.ndarray],
    slots: Slots,
    seed: int,
) -> np.ndarray:
    """The mean over an order and its reverse for every background row, whose columns become the row's."""
    columns, rows = len(slots), len(next(iter(background.values())))
    rng = np.random.default_rng(seed)
    orders = np.array([rng.permutation(columns) for _ in range(rows)])
    ranks = np.argsort(np.concatenate([orders, orders[:, ::-1]]), axis=1)
    known = ranks[:, None, :] < np.arange(columns + 1)[:, None]
    used = np.repeat(np.tile(np.arange(rows), 2), columns + 1)
    mixed = _mixed(row, background, slots, known.reshape(-1, columns), used)
    steps = np.diff(scores(mixed).reshape(len(ranks), columns + 1, -1), axis=1)
    return np.take_along_axis(steps, ranks[..., None], axis=1).mean(axis=0)


def _mixed(
    row: Mapping[str, np.ndarray],
    background: Mapping[str, np.ndarray],
    slots: Slots,
    known: np.ndarray,
    used: np.ndarray,
) -> dict[str, np.ndarray]:
    """Background rows, those `used`, with the `known` columns, (rows, columns), taken from the row."""
    mixed = {name: values[used] for name, values in background.items()}
    for column, places in enumerate(slots.values()):
        for slot in places:
            mixed[slot.name][known[:, column], ..., slot.part] = row[slot.name][..., slot.part]
    return mixed
