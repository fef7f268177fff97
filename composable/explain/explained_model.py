"""What an explanation is about: a trained network, rows that it predicts for, and where it errs most.

A raw column lies in some slots of the model's inputs, so that one column can be replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd

from composable.data.encoding import Encoding, Slot
from composable.data.schema import Schema
from composable.engine.predict import predict
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing, postprocess
from composable.problem.problem import Head, Problem
from composable.problem.scores import has_target
from composable.training.candidate import Candidate

Predict = Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]
"""From the inputs of some rows to the predictions, one array per head."""
Slots = Mapping[str, Sequence[Slot]]
"""By raw column; a column of texts has several."""

_SIZES = (64, 256)  # rows that are predicted at once


@dataclass(frozen=True, eq=False)
class ExplainedModel:
    """One network of the deployed model, with held-out rows and what the deployed model predicts for them.

    Attributes:
        candidate: How the network is built and was trained.
        network: From inputs to the logits of every head, with its weights.
        postprocessing: What turns its logits into predictions, one per head.
        problem: What is predicted.
        schema: The columns of the raw rows.
        encoding: How raw rows become inputs.
        frame: The held-out rows as they were read.
        inputs: The same rows, encoded.
        observed: Their targets, per head.
        predicted: What the deployed model predicts for them, per head.
        seed: For what is drawn at random.
    """

    candidate: Candidate
    network: keras.Model
    postprocessing: Sequence[PostProcessing]
    problem: Problem
    schema: Schema
    encoding: Encoding
    frame: pd.DataFrame
    inputs: Mapping[str, np.ndarray]
    observed: Sequence[np.ndarray]
    predicted: Sequence[np.ndarray]
    seed: int

    @property
    def head(self) -> Head:
        """The first head, the one that pictures and texts are explained for."""
        return self.problem.heads[0]

    def predict(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """What the network predicts, one array per head."""
        logits = predict(self.network, inputs, sizes=_SIZES)
        each = zip(self.postprocessing, logits, strict=True)
        return [postprocess(np, step, outputs) for step, outputs in each]


def worst_errors(head: Head, observed: np.ndarray, predicted: np.ndarray, *, most: int) -> np.ndarray:
    """The rows with the greatest errors, the greatest first; of classes the most confident ones.

    Args:
        head: What is predicted.
        observed: (rows, width), see `composable.problem.targets`.
        predicted: (rows, width) predictions.
        most: So many rows at most.
    """
    sizes = np.where(has_target(observed), kind_of(head).effects.error_sizes(observed, predicted), 0.0)
    return np.argsort(-sizes, kind="stable")[: min(most, int((sizes > 0).sum()))]


def least_certain(head: Head, observed: np.ndarray, predicted: np.ndarray, *, most: int) -> np.ndarray:
    """The rows whose right class won by the least, the closest first; none of numbers or several labels.

    Args:
        head: What is predicted.
        observed: (rows, width), see `composable.problem.targets`.
        predicted: (rows, width) predictions.
        most: So many rows at most.
    """
    confidence = kind_of(head).effects.right_confidence(observed, predicted)
    return np.argsort(confidence, kind="stable")[: min(most, int((~np.isnan(confidence)).sum()))]


def slots_of(encoding: Encoding) -> Slots:
    """The slots of every raw column that the model reads."""
    found: dict[str, list[Slot]] = {}
    for slot, _ in encoding.slots:
        found.setdefault(slot.column, []).append(slot)
    return found


def with_column(
    inputs: Mapping[str, np.ndarray], slots: Sequence[Slot], others: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The inputs with one raw column's slots taken from as many other rows."""
    replaced = dict(inputs)
    for slot in slots:
        if replaced[slot.name] is inputs[slot.name]:
            replaced[slot.name] = inputs[slot.name].copy()
        replaced[slot.name][..., slot.part] = others[slot.name][..., slot.part]
    return replaced
