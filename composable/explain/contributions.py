"""Why a bundle predicts what it does for some rows: what each raw column adds, row by row.

Predictions are compared with those for background rows, which a run keeps of its training rows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
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
from composable.explain.explained_model import slots_of
from composable.explain.shapley import background_size, shapley_values
from composable.problem.kinds import kind_of
from composable.training.candidate import Material

Inputs = Mapping[str, np.ndarray]
COLUMNS = ("row", "target", "prediction", "value", "mean", "column", "cell", "contribution")
FILE = "background.npz"
ROWS = 64
_MOST_BYTES = 4_000_000  # a run keeps no gallery of pictures


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
