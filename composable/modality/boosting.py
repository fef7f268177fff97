"""What networks for tables have to beat: scikit-learn's gradient boosting, with its defaults."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from composable.core.seeds import derive
from composable.modality.modality import Baseline
from composable.problem.baseline import ITERATIONS, gradient_boosting
from composable.training.candidate import Arrays, Material

_MANY, _TREE = 20, 0.01  # scores, each of which takes a tree in every iteration; seconds for one


def _predict(
    material: Material,
    train: np.ndarray,
    query: Mapping[str, np.ndarray],
    seed: int,
    iterations: int = ITERATIONS,
) -> Arrays:
    return gradient_boosting(
        material.problem.heads,
        material.at(train),
        tuple(y[train] for y in material.targets),
        query,
        seed=derive(seed, "baseline"),
        weights=None if material.weights is None else material.weights[train],
        iterations=iterations,
    )


def _seconds(material: Material, train: np.ndarray, _query_rows: int, seed: int) -> float:
    """How long one fold will take, judged by its first iterations; on texts by the number of classes."""
    scores = sum(head.width for head in material.problem.heads)
    if scores > _MANY and material.vocabularies:  # the first iterations alone would take long
        return _TREE * scores * ITERATIONS
    times = []
    for iterations in (2, 6):
        began = time.monotonic()
        _predict(material, train, material.at(train[:10]), seed, iterations)
        times.append(time.monotonic() - began)
    one = max(0.0, times[1] - times[0]) / 4
    return times[1] + (ITERATIONS - 6) * one


GRADIENT_BOOSTING = Baseline("gradient_boosting", _seconds, _predict)
