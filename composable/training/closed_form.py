"""Closed-form fits: the problem that a solver gets, the solution that it returns, its scores made logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import keras
import numpy as np
from scipy.optimize import minimize_scalar

from composable.core.budget import Deadline
from composable.design.taps import named
from composable.engine.history import Epoch
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing, postprocess
from composable.problem.problem import Head
from composable.problem.scores import has_target, score


@dataclass(frozen=True, eq=False)
class LabeledRows:
    """Rows with their targets.

    Attributes:
        inputs: The model's inputs.
        targets: Per head, as `training_targets` of its kind gives them.
        weights: A weight per row, or None.
    """

    inputs: Mapping[str, np.ndarray]
    targets: tuple[np.ndarray, ...]
    weights: np.ndarray | None


@dataclass(frozen=True, eq=False)
class ClosedFormProblem:
    """A network whose weights are wanted, and the rows to fit them to.

    Attributes:
        network: Whose weights are wanted. Several folds are fitted at once, so it is never changed.
        fresh: Gives another one like it, as it begins, to be changed until the solution is found.
        heads: What the targets are.
        metric: That the user chose.
        learned: The rows to fit.
        held_out: The rows by which a solver chooses between solutions.
        seed: For everything random.
        deadline: After it no further solution is looked for; a first one is always found.
        chosen: The hyperparameters that fits to other parts of the rows chose, see `Solution.chosen`; then
            nothing else is tried, and `held_out` decides nothing.
    """

    network: keras.Model
    fresh: Callable[[], keras.Model]
    heads: Sequence[Head]
    metric: str
    learned: LabeledRows
    held_out: LabeledRows
    seed: int
    deadline: Deadline
    chosen: Mapping[str, float] | None = None


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver returns.

    Attributes:
        weights: As `network.set_weights` takes them.
        tried: The solutions between which it chose, recorded as epochs.
        best: The index of the chosen one among them.
        chosen: The hyperparameters of that solution, and what was fitted to held-out rows.
        by_held_out: Whether held-out rows had a part in that choice.
        again: Gives the weights by other hyperparameters, where that takes no further fit.
    """

    weights: list[np.ndarray]
    tried: tuple[Epoch, ...]
    best: int
    chosen: Mapping[str, float]
    by_held_out: bool = True
    again: Callable[[Mapping[str, float]], list[np.ndarray]] | None = None


def median_of(chosen: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each hyperparameter that fits to several parts of the rows chose."""
    return {name: float(np.median([one[name] for one in chosen])) for name in chosen[0]}


@dataclass(eq=False)
class NetworkPool:
    """Networks of one architecture, used by one fold after the other: compiling each would take seconds.

    Attributes:
        build: Builds one.
    """

    build: Callable[[], keras.Model]
    _free: list[tuple[keras.Model, list[np.ndarray]]] = field(default_factory=list)

    @contextmanager
    def lending(self) -> Iterator[Callable[[], keras.Model]]:
        """Give what lends networks, with the weights that they were built with, until the context ends."""
        lent: list[tuple[keras.Model, list[np.ndarray]]] = []

        def fresh() -> keras.Model:
            try:
                network, beginning = self._free.pop()
            except IndexError:  # other threads use them all
                network = self.build()
                beginning = network.get_weights()
            network.set_weights(beginning)
            lent.append((network, beginning))
            return network

        try:
            yield fresh
        finally:
            self._free.extend(lent)


def scores_name(network: keras.Model, head: int) -> str:
    """The name of the layer that gives the scores of a head."""
    name = named(f"head_{head}", "logits")
    return name if any(layer.name == name for layer in network.layers) else "logits"


Solver = Callable[[ClosedFormProblem], Solution]


def with_layers(network: keras.Model, values: Mapping[str, Sequence[np.ndarray]]) -> list[np.ndarray]:
    """The network's weights as `set_weights` takes them, those of the layers in `values` replaced."""
    new = {
        id(variable): value
        for name, arrays in values.items()
        for variable, value in zip(network.get_layer(name).weights, arrays, strict=True)
    }
    return [
        new[id(variable)] if id(variable) in new else np.asarray(keras.ops.convert_to_numpy(variable))
        for variable in network.weights
    ]


_LARGEST = 20.0


def as_scores(head: Head, y: np.ndarray) -> np.ndarray:
    """Targets as the scores that are to be approximated, (rows, width): classes are 1 and -1, gaps NaN."""
    if not head.labels:
        return y
    return 2.0 * kind_of(head).indicators(head, y).astype("float32") - 1.0


def rows_of_scores(wanted: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Which scores the same rows have, of (rows, scores) with NaN: numbers of scores, and of those rows."""
    known = ~np.isnan(wanted)
    if known.all():
        return [(np.arange(wanted.shape[1]), np.arange(len(wanted)))]
    patterns, of_score = np.unique(known, axis=1, return_inverse=True)
    return [
        (np.flatnonzero(of_score.ravel() == number), np.flatnonzero(rows))
        for number, rows in enumerate(patterns.T)
    ]


def factor_of(head: Head, scores: np.ndarray, observed: np.ndarray) -> float:
    """Which makes logits of scores (rows, width): that with the lowest log loss; 1 if no row has a target."""
    if not has_target(observed).any():
        return 1.0
    found = minimize_scalar(
        lambda log: loss_of(head, "", np.exp(log) * scores, observed),
        bounds=(-np.log(_LARGEST), np.log(_LARGEST)),
        method="bounded",
        options={"maxiter": 20},
    )
    return float(np.exp(found.x))


def loss_of(head: Head, metric: str, logits: np.ndarray, observed: np.ndarray) -> float:
    """Log loss of classes; of standardized numbers the mean absolute or square error, by the metric.

    Of the rows that have a target; 0 where none has.
    """
    known = has_target(observed)
    if not known.any():
        return 0.0
    if head.labels:
        return score(
            "log_loss", head, observed, postprocess(np, PostProcessing(kind_of(head).activation), logits)
        )
    away = np.abs(logits - observed)[known]
    return float(np.mean(away if metric == "mae" else away**2))
