"""Train one candidate on the rotations of a split; each predicts the rows it did not learn from."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import keras
import numpy as np

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.data.split import Rotation
from composable.design import Architecture, Input
from composable.design.tables import adapt
from composable.design.taps import tap
from composable.engine.losses import (
    absolute_error,
    binary_cross_entropy,
    categorical_cross_entropy,
    squared_error,
)
from composable.engine.predict import predict
from composable.engine.train import (
    Epoch,
    History,
    Loss,
    Rows,
    Settings,
    compile_for_training,
    initialise,
    train,
    weights_of,
)
from composable.problem.finish import Finish, apply_finish, fit_finish, to_training
from composable.problem.metrics import score
from composable.problem.problem import Head, Problem

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Candidate:
    """An architecture and how it is trained."""

    name: str
    architecture: Architecture
    settings: Settings


@dataclass(frozen=True, eq=False)
class Material:
    """The encoded rows of a run.

    Attributes:
        problem: Says what the targets are.
        inputs: The model's inputs, row by row.
        targets: One array per head, as `encode_targets` gives them.
        categories: The number of codes of each category column.
        weights: A weight per row, or None.
        own_test: Inputs of the person's own test file, or None.
    """

    problem: Problem
    inputs: Mapping[str, np.ndarray]
    targets: tuple[np.ndarray, ...]
    categories: tuple[int, ...]
    weights: np.ndarray | None = None
    own_test: Mapping[str, np.ndarray] | None = None

    @property
    def widths(self) -> dict[str, int]:
        """The width of each input."""
        return {name: int(values.shape[1]) for name, values in self.inputs.items()}

    @property
    def shapes(self) -> dict[str, Input]:
        """What a network takes in."""
        return {
            name: Input((width,), "int32" if name == "categories" else "float32")
            for name, width in self.widths.items()
        }

    def at(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The inputs of these rows."""
        return {name: values[rows] for name, values in self.inputs.items()}


@dataclass(frozen=True, eq=False)
class Trained:
    """One network: its weights after one rotation, and its logits per head for rows it didn't learn from.

    `weights` is empty where they lie on the disk alone, see `composable.training.storage`.
    """

    rotation: int
    weights: Arrays
    finishes: tuple[Finish, ...]
    history: History
    seconds: float
    validation: Arrays
    test: Arrays
    own_test: Arrays


@dataclass(eq=False)
class Workbench:
    """One candidate's graph, compiled once, on which every rotation is trained in turn."""

    candidate: Candidate
    material: Material
    network: keras.Model = field(init=False)

    def __post_init__(self) -> None:
        self.network = self.build()
        losses = tuple(_loss(head, self.material.problem.metric) for head in self.material.problem.heads)
        compile_for_training(self.network, losses, self.candidate.settings)

    def build(self) -> keras.Model:
        """A network of its own from the inputs to the logits of every head."""
        return tap(self.candidate.architecture.build(self.material.shapes), "logits")

    def train(
        self,
        number: int,
        rotation: Rotation,
        *,
        seed: int,
        deadline: Deadline,
        on_epoch: Callable[[Epoch], None] = lambda _: None,
    ) -> Trained:
        """Train on the training rows of `rotation`, stop by its validation rows, predict both other parts.

        Args:
            number: Of the rotation; each draws its own weights.
            rotation: Which rows are which.
            seed: For everything random.
            deadline: Training stops when it is reached.
            on_epoch: Told about every epoch as it ends.
        """
        began = time.monotonic()
        heads = self.material.problem.heads
        seed = derive(seed, self.candidate.name, number)
        initialise(self.network, self.build, seed)
        adapt(self.network, self.material.at(rotation.train), categories=self.material.categories)
        finishes = tuple(
            fit_finish(head, y[rotation.train]) for head, y in zip(heads, self.material.targets, strict=True)
        )
        history = train(
            self.network,
            self._rows(rotation.train, finishes),
            self._rows(rotation.validation, finishes),
            loss=lambda logits, rows: _held_out_loss(self.material.problem, logits, rows.targets),
            settings=self.candidate.settings,
            seed=seed,
            deadline=deadline,
            on_epoch=on_epoch,
        )
        return Trained(
            rotation=number,
            weights=weights_of(self.network),
            finishes=finishes,
            history=history,
            seconds=time.monotonic() - began,
            validation=predict(self.network, self.material.at(rotation.validation)),
            test=predict(self.network, self.material.at(rotation.test)) if len(rotation.test) else [],
            own_test=predict(self.network, self.material.own_test) if self.material.own_test else [],
        )

    def _rows(self, rows: np.ndarray, finishes: tuple[Finish, ...]) -> Rows:
        material = self.material
        targets = tuple(
            to_training(head, finish, y[rows])
            for head, finish, y in zip(material.problem.heads, finishes, material.targets, strict=True)
        )
        return Rows(material.at(rows), targets, None if material.weights is None else material.weights[rows])


def _loss(head: Head, metric: str) -> Loss:
    match head.kind:
        case "regression":
            return absolute_error if metric == "mae" else squared_error
        case "multiclass":
            return categorical_cross_entropy
    return binary_cross_entropy


def _held_out_loss(problem: Problem, logits: Arrays, targets: tuple[np.ndarray, ...]) -> float:
    """Log loss, or the error of standardised targets: smoother than most metrics, so a better guide."""
    total = 0.0
    for head, said, y in zip(problem.heads, logits, targets, strict=True):
        answers = apply_finish(np, head, Finish(), said)
        if head.kind != "regression":
            total += score("log_loss", head, y, answers)
        elif problem.metric == "mae":
            total += score("mae", head, y, answers)
        else:
            total += score("rmse", head, y, answers) ** 2
    return total
