"""Weights that are solved for: what a solver is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from composable.core.budget import Deadline
from composable.design.taps import named
from composable.engine.history import Epoch
from composable.problem.problem import Problem


@dataclass(frozen=True, eq=False)
class Known:
    """Rows with their answers.

    Attributes:
        inputs: The model's inputs.
        targets: Per head, as `training_targets` of its kind gives them.
        weights: A weight per row, or None.
    """

    inputs: Mapping[str, np.ndarray]
    targets: tuple[np.ndarray, ...]
    weights: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Posed:
    """What a solver is asked.

    Attributes:
        network: Whose weights are wanted. Several folds are solved at once, so it is only looked at.
        fresh: Builds another one like it, to be changed.
        problem: Says what the targets are.
        learned: The rows to solve for.
        held_out: The rows by which a solver chooses between solutions.
        settled: What solvers of parts of the rows chose, see `Solution.setting`; then nothing else is tried,
            and `held_out` are the rows that are learned from.
        seed: For everything random.
        deadline: After it no further solution is looked for; a first one is always found.
    """

    network: keras.Model
    fresh: Callable[[], keras.Model]
    problem: Problem
    learned: Known
    held_out: Known
    seed: int
    deadline: Deadline
    settled: Mapping[str, float] | None = None


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver answers.

    Attributes:
        weights: As `network.set_weights` takes them.
        tried: The solutions between which it chose, told as epochs.
        best: The place of the chosen one among them.
        setting: By which it differs from the others, and what was found on held-out rows.
    """

    weights: list[np.ndarray]
    tried: tuple[Epoch, ...]
    best: int
    setting: Mapping[str, float]


def scores_name(network: keras.Model, place: int) -> str:
    """The name of the layer that gives the scores of a head."""
    name = named(f"head_{place}", "logits")
    return name if any(layer.name == name for layer in network.layers) else "logits"


Solver = Callable[[Posed], Solution]


def placed(network: keras.Model, values: Mapping[str, Sequence[np.ndarray]]) -> list[np.ndarray]:
    """The network's weights as `set_weights` takes them, those of the layers in `values` replaced."""
    given = {
        id(variable): value
        for name, arrays in values.items()
        for variable, value in zip(network.get_layer(name).weights, arrays, strict=True)
    }
    return [
        given[id(variable)] if id(variable) in given else np.asarray(keras.ops.convert_to_numpy(variable))
        for variable in network.weights
    ]
