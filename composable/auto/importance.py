"""Permutation importance (Breiman 2001, "Random Forests", section 10).

How much worse the score gets when one column is shuffled among rows the networks did not learn from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.data.encoding import Encoding
from composable.engine.predict import predict
from composable.problem.metrics import RELATIVE, higher_is_better, score
from composable.problem.problem import Problem
from composable.search.trial import Trial
from composable.training.rotating import Workbench
from composable.training.storage import load_weights

_MOST_ROWS, _MOST_IMAGES = 2000, 256
_ROUNDS = 8


@dataclass(frozen=True)
class Slot:
    """A place where a raw column lies in the model's inputs; columns of texts lie in several.

    Along the input's last axis: a number's place, or the channels of an image.
    """

    column: str
    block: str
    first: int
    width: int = 1


def permutation_importance(
    trial: Trial, bench: Workbench, encoding: Encoding, rotations: Any, *, seed: int, deadline: Deadline
) -> list[dict[str, Any]]:
    """Each raw column's importance, most important first, as `diagnostics.json` holds it.

    Rounds go over the trial's networks, each on its own test (else validation) rows; rounds stop at the
    deadline, and columns that no round reached are left out.
    """
    problem = bench.material.problem
    slots: dict[str, list[Slot]] = {}
    for slot in _slots(encoding):
        slots.setdefault(slot.column, []).append(slot)
    drops: dict[str, list[float]] = {column: [] for column in slots}
    for round_ in range(_ROUNDS):
        trained = trial.trained[round_ % len(trial.trained)]
        rotation = rotations[trained.rotation]
        most = _MOST_ROWS if "images" not in bench.material.inputs else _MOST_IMAGES
        rows = (rotation.test if len(rotation.test) else rotation.validation)[:most]
        if len(rows) < 2 or deadline.remaining <= 0:
            continue
        bench.network.set_weights(load_weights(trial.folder, trained.rotation))
        rng = np.random.default_rng(derive(seed, "importance", round_))
        inputs = bench.material.at(rows)
        observed = [y[rows] for y in bench.material.targets]
        whole = _error(
            problem, observed, trial.answers(problem.heads, trained, predict(bench.network, inputs))
        )
        for column, places in slots.items():
            if deadline.remaining <= 0:
                break
            asked, order = dict(inputs), rng.permutation(len(rows))
            for slot in places:
                asked[slot.block] = asked[slot.block].copy()
                part = slice(slot.first, slot.first + slot.width)
                asked[slot.block][..., part] = inputs[slot.block][order][..., part]
            answers = trial.answers(problem.heads, trained, predict(bench.network, asked))
            drops[column].append(_error(problem, observed, answers) - whole)
    found = [
        {"column": column, "mean": float(np.mean(each)), "spread": float(np.std(each))}
        for column, each in drops.items()
        if each and np.isfinite(each).all()
    ]
    return sorted(found, key=lambda one: -one["mean"])


def _slots(encoding: Encoding) -> Iterator[Slot]:
    for i, number in enumerate(encoding.numbers):
        yield Slot(number.column, "numbers", i)
    for i, name in enumerate(encoding.dates):
        yield Slot(name, "dates", i)
    for i, table in enumerate(encoding.categories):
        yield Slot(table.column, "categories", i)
    first = dict.fromkeys(encoding.widths, 0)
    for text in encoding.texts:
        for block, width in text.widths.items():
            yield Slot(text.column, block, first[block], width)
            first[block] += width
    for place, image in enumerate(encoding.images):
        yield Slot(image.column, "images", place * image.channels, image.channels)


def _error(problem: Problem, observed: list[np.ndarray], answers: list[np.ndarray]) -> float:
    """The metric, turned so that lower is better, averaged over heads."""
    errors = []
    for head, y, p in zip(problem.heads, observed, answers, strict=True):
        metric = problem.metric
        if metric == RELATIVE:
            metric = "rmse" if head.kind == "regression" else "log_loss"
        found = score(metric, head, y, p)
        errors.append(-found if higher_is_better(metric) else found)
    return float(np.mean(errors))
