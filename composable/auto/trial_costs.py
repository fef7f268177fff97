"""What the networks of a trial cost: weights, bytes, time to answer and to train."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from composable.data.split import Fold
from composable.design.cost import cost
from composable.engine.predict import predict
from composable.search.cost_model import Work
from composable.training.folds import FoldTrainer

_MOST_KEPT = 4000  # rows that a closed-form fit compares with each other


def cost_of(trainer: FoldTrainer, networks: int) -> dict[str, float]:
    """What the trial's networks cost together: weights, bytes, milliseconds for a row (median of five)."""
    row = trainer.material.at(np.array([0]))
    predict(trainer.network, row)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        predict(trainer.network, row)
        times.append(time.perf_counter() - began)
    parameters = int(trainer.network.count_params()) * networks
    return {
        "parameters": parameters,
        "bytes": 4 * parameters,
        "latency_ms": round(1000 * float(np.median(times)) * networks, 3),
    }


def work_of(trainer: FoldTrainer, folds: Sequence[Fold]) -> Work:
    """What decides how long the training of a network on these folds takes."""
    rows, candidate, found = len(folds[0].train), trainer.candidate, cost(trainer.network)
    each, steps = float(found.multiply_adds) * rows, max(1, math.ceil(rows / candidate.settings.batch_size))
    if candidate.solver is not None:  # features, and a matrix of all rows that are kept is solved
        each += float(found.training_bytes) * rows + min(rows, _MOST_KEPT) ** 3
        steps = 0
    return Work(candidate.name, len(trainer.network.layers), each * len(folds), steps)
