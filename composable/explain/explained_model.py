"""What an explanation is about: a trained network, and rows that it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd

from composable.data.encoding import Encoding
from composable.data.schema import Schema
from composable.engine.predict import predict
from composable.problem.postprocessing import PostProcessing, postprocess
from composable.problem.problem import Head, Problem
from composable.training.candidate import Candidate

Predict = Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]
"""From the inputs of some rows to the predictions, one array per head."""

_SIZES = (64, 256)  # rows that are predicted at once


@dataclass(frozen=True, eq=False)
class ExplainedModel:
    """One network of the deployed model, with held-out rows and what the deployed model predicts for them.

    Attributes:
        candidate: How the network is built and was trained.
        network: From inputs to the logits of every head, with its weights.
        postprocessing: What turns its logits into predictions, one per head.
        problem: What was asked.
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
