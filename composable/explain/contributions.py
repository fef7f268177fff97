"""Why a bundle predicts what it does for some rows: what each raw column adds, row by row, as Shapley values.

Predictions are compared with those for background rows, which a run keeps of its training rows. What a column
adds is the mean, over the orders in which columns may become known, of how the prediction changes when it
does; columns that are not yet known have the values of background rows. Exact for few columns; for more,
orders are sampled, each followed by its reverse (Strumbelj & Kononenko 2014, "Explaining prediction models
and individual predictions with feature contributions", Knowledge and Information Systems 41, algorithm 2).
Either way a row's values sum to its prediction minus the mean prediction of the background.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from math import factorial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.core.workspace import write_atomically
from composable.data.encoding import encode
from composable.data.frames import column_of
from composable.data.table import Table
from composable.deploy.answers import class_codes, restored
from composable.deploy.bundle import Bundle
from composable.explain.explained_model import Slots, slots_of
from composable.problem.kinds import kind_of
from composable.training.candidate import Material

Inputs = Mapping[str, np.ndarray]
COLUMNS = ("row", "target", "prediction", "value", "mean", "column", "cell", "contribution")
FILE = "background.npz"
ROWS = 64
_MOST_BYTES = 4_000_000  # a run keeps no gallery of pictures
EXACT = 6  # columns up to which all 2^columns coalitions are looked at
_MOST_EVALUATIONS = 8192  # per row
_FEWEST_BACKGROUND = 4

Scores = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""From the inputs of some rows to (rows, scores)."""


class _Target(NamedTuple):
    """One target column: its scores (rows, scores), which of them is predicted, and the predictions."""

    name: str
    scores: np.ndarray
    chosen: np.ndarray
    predictions: pd.Series


def contributions(bundle: Bundle, table: Table, background: Inputs, *, seed: int = 0) -> pd.DataFrame:
    """What each raw column adds to the prediction for each row: Shapley values.

    Args:
        bundle: The model.
        table: Raw rows.
        background: Encoded rows that the rows are compared with, see `background_inputs`.
        seed: Of the sampled orders of columns, where there are many.

    Returns:
        One line for every row, target and column: `row` (its number), `target`, `prediction`, `value` (what
        is explained: the predicted number, or the probability of the predicted class), `mean` (of the same
        over the background), `column`, `cell`, and `contribution`. The contributions of one row and target
        sum to `value` minus `mean`; the largest come first.

    Raises:
        ConfigError: If the model predicts masks, or there are no background rows.
        DataError: If a column is missing, or a value can't be read as its column's type.
    """
    if bundle.masked:
        raise ConfigError(
            "Contributions explain one prediction per row.",
            received="a model that predicts every pixel",
            remedy="see the pictures of the report",
        )
    inputs, slots = _encoded(bundle, table), slots_of(bundle.card.encoding)
    rows = len(next(iter(background.values()), ()))
    if not rows:
        raise ConfigError("Contributions are measured against background rows.", received="no row")
    used = np.arange(background_size(len(slots), rows))
    background = {name: values[used] for name, values in background.items()}
    targets = list(_targets(bundle, inputs))
    means = [one.scores.mean(axis=0) for one in _targets(bundle, background)]
    found = []
    for number in range(len(table.frame)):
        values = shapley_values(
            lambda mixed: np.concatenate([one.scores for one in _targets(bundle, mixed)], axis=1),
            {name: values[number] for name, values in inputs.items()},
            background,
            slots,
            seed=derive(seed, "contributions", number),
        )
        first = 0
        for target, mean in zip(targets, means, strict=True):
            chosen = int(target.chosen[number])
            own = values[:, first + chosen]
            first += len(mean)
            lines = {
                "row": number,
                "target": target.name,
                "prediction": target.predictions.iloc[number],
                "value": target.scores[number, chosen],
                "mean": mean[chosen],
                "column": list(slots),
                "cell": [column_of(table.frame, name).iloc[number] for name in slots],
                "contribution": own,
            }
            found.append(pd.DataFrame(lines).iloc[np.argsort(-np.abs(own), kind="stable")])
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS))


def background_inputs(bundle: Bundle, table: Table, *, seed: int = 0) -> Inputs:
    """Some raw rows, encoded as `contributions` takes its background.

    Args:
        bundle: The model.
        table: Raw rows; of many some are drawn.
        seed: Of which rows are drawn.
    """
    inputs = _encoded(bundle, table)
    rows = _some_rows(len(next(iter(inputs.values()))), seed=seed)
    return {name: values[rows] for name, values in inputs.items()}


def _encoded(bundle: Bundle, table: Table) -> Inputs:
    card = bundle.card
    return encode(
        table.frame, card.schema, card.encoding, sources=table.sources, origin=table.origin, strict=True
    )


def _targets(bundle: Bundle, inputs: Inputs) -> Iterator[_Target]:
    """The predictions for encoded rows, by target column."""
    for head, output in zip(bundle.card.problem.heads, bundle.outputs(inputs), strict=True):
        for index, name in enumerate(head.targets):
            scores = kind_of(head).class_probabilities(head, output, index)
            if scores is not None:
                codes = class_codes(scores, head.threshold(index))
                yield _Target(name, scores, codes, restored(codes, head.labels))
            else:
                scores = output.astype("float64")
                yield _Target(name, scores, np.zeros(len(scores), int), pd.Series(scores[:, 0]))


def save_background(run: Path, material: Material, *, seed: int) -> None:
    """Keep some training rows, encoded, in the run folder, unless they are large.

    Args:
        run: The run folder.
        material: The encoded rows of the run.
        seed: Of which rows are kept.
    """
    rows = _some_rows(len(material.targets[0]), seed=seed)
    inputs = material.at(rows)
    if sum(values.nbytes for values in inputs.values()) > _MOST_BYTES:
        return
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **inputs)
    write_atomically(run / FILE, content.getvalue())


def read_background(run: Path) -> Mapping[str, np.ndarray] | None:
    """The inputs of the rows that the run kept; None where it kept none."""
    try:
        with np.load(run / FILE, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except (OSError, ValueError):
        return None


def _some_rows(rows: int, *, seed: int) -> np.ndarray:
    """The indices of at most `ROWS` rows, drawn without replacement, ascending."""
    rng = np.random.default_rng(derive(seed, "background"))
    return np.sort(rng.permutation(rows)[:ROWS])


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
