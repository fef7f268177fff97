"""Permutation importance (Breiman 2001, "Random Forests", section 10).

How much worse the score gets when one column is shuffled among rows that the model did not learn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

import numpy as np

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.data.encoding import encode
from composable.data.table import Table
from composable.deploy.bundle import Bundle
from composable.explain.explained_model import Predict, Slots, slots_of, with_column
from composable.problem.kinds import kind_of
from composable.problem.metrics import RELATIVE, higher_is_better
from composable.problem.problem import Problem
from composable.problem.scores import score
from composable.problem.targets import encode_targets, labeled

ROUNDS = 8
_MOST_ROWS, _FEWEST_ROWS = 2000, 256
_MOST_VALUES = 1_000_000  # of the inputs of all rows: fewer rows where each is large


@dataclass(frozen=True, eq=False)
class HeldOutRows:
    """A model, and rows that it did not learn from.

    Attributes:
        predict: From inputs to predictions per head.
        inputs: Of the rows.
        observed: Their targets, per head.
    """

    predict: Predict
    inputs: Mapping[str, np.ndarray]
    observed: Sequence[np.ndarray]


def permutation_importance(
    problem: Problem, slots: Slots, rounds: Iterable[HeldOutRows], *, seed: int, deadline: Deadline
) -> list[dict[str, Any]]:
    """Each raw column's importance, most important first, as `diagnostics.json` holds it.

    Args:
        problem: Its metric is what worsens.
        slots: Where each raw column lies in the inputs.
        rounds: The model and the rows of each round, of which `ROUNDS` are used.
        seed: Of the shuffles.
        deadline: When rounds stop; columns that no round reached are left out.
    """
    drops: dict[str, list[float]] = {column: [] for column in slots}
    for number, held_out in enumerate(islice(rounds, ROUNDS)):
        rows = len(held_out.observed[0])
        if rows < 2 or deadline.remaining <= 0:
            continue
        rng = np.random.default_rng(derive(seed, "importance", number))
        unshuffled = _error(problem, held_out.observed, held_out.predict(held_out.inputs))
        for column, places in slots.items():
            if deadline.remaining <= 0:
                break
            order = rng.permutation(rows)
            shuffled = {slot.name: held_out.inputs[slot.name][order] for slot in places}
            predicted = held_out.predict(with_column(held_out.inputs, places, shuffled))
            drops[column].append(_error(problem, held_out.observed, predicted) - unshuffled)
    found = [
        {"column": column, "mean": float(np.mean(each)), "spread": float(np.std(each))}
        for column, each in drops.items()
        if each and np.isfinite(each).all()
    ]
    return sorted(found, key=lambda one: -one["mean"])


def bundle_importance(bundle: Bundle, table: Table, *, seed: int) -> list[dict[str, Any]]:
    """The same of a bundle, on labeled rows.

    Args:
        bundle: The model.
        table: Rows with their targets; those that lack all of them are left out.
        seed: Of which rows are used, where there are many, and of the shuffles.

    Raises:
        ConfigError: If the model predicts masks, from images alone.
        DataError: If a target column isn't there, or holds an unknown class; names the row.
    """
    if bundle.masked:
        raise ConfigError(
            "Importance compares columns with each other.",
            received="a model that predicts every pixel of one column of images",
            remedy="see the pictures of the report",
        )
    card = bundle.card
    table = labeled(table, card.schema, card.problem)
    frame = table.frame
    inputs = encode(
        frame, card.schema, card.encoding, sources=table.sources, origin=table.origin, strict=True
    )
    observed = encode_targets(table, card.schema, card.problem)
    rows = np.random.default_rng(derive(seed, "rows")).permutation(len(frame))[: most_rows(inputs)]
    held_out = HeldOutRows(
        bundle.outputs,
        {name: values[rows] for name, values in inputs.items()},
        [y[rows] for y in observed],
    )
    return permutation_importance(
        card.problem, slots_of(card.encoding), repeat(held_out), seed=seed, deadline=Deadline()
    )


def most_rows(inputs: Mapping[str, np.ndarray]) -> int:
    """How many rows of such inputs are worth their time."""
    values = sum(int(np.prod(one.shape[1:])) for one in inputs.values())
    return int(np.clip(_MOST_VALUES // max(values, 1), _FEWEST_ROWS, _MOST_ROWS))


def _error(problem: Problem, observed: Sequence[np.ndarray], predicted: Sequence[np.ndarray]) -> float:
    """The metric, turned so that lower is better, averaged over heads."""
    errors = []
    for head, y, p in zip(problem.heads, observed, predicted, strict=True):
        metric = problem.metric
        if metric == RELATIVE:
            metric = kind_of(head).loss_metric
        found = score(metric, head, y, p)
        errors.append(-found if higher_is_better(metric) else found)
    return float(np.mean(errors))
