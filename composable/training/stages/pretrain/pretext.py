"""A pretext task: a question about rows that needs no labels, and that the same network can answer.

A task is a component `(x, *, metaparameters) -> Pretext`, x being `Unlabeled`. Corruptions are drawn once,
on the host: the same on every backend, and the rows held out are corrupted too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from composable.core.errors import ConfigError, DataError
from composable.design.graph import deep_graphs
from composable.design.taps import tap
from composable.engine.objective import Goal
from composable.engine.rows import Rows

MEMORY = 256 * 2**20  # bytes, of all corrupted copies of the training rows together
ROUNDS = 4  # epochs over the copies at least: after each the rows held out and the clock are looked at
_PIECE = 1024  # rows corrupted at once

Arrays = dict[str, np.ndarray]
Corrupt = Callable[[Arrays, np.random.Generator], tuple[Arrays, tuple[np.ndarray, ...]]]
"""Clean inputs to corrupted ones and the targets."""


class UnsuitedNetworkError(DataError):
    """A network can't learn a task, because it doesn't read what the task hides."""


@dataclass(frozen=True, eq=False)
class Unlabeled:
    """What a task is made of.

    Attributes:
        inputs: Arrays, rows first, by the names of the network's inputs.
        train: The numbers of the rows to learn from.
        held_out: The numbers of the rows to watch.
        epochs: How often each training row is to be seen.
        seed: Of the corruptions.
    """

    inputs: Mapping[str, np.ndarray]
    train: np.ndarray
    held_out: np.ndarray
    epochs: int
    seed: int


@dataclass(frozen=True, eq=False)
class Pretext:
    """A task, ready to be trained.

    Attributes:
        attach: From the network to the model that is trained for the task; it shares the network's layers.
        goals: One per output of that model.
        rows: Corrupted rows and their targets.
        train: The numbers of those to learn from.
        held_out: The numbers of those to watch.
        epochs: Over those rows.
        figure: The name of what is reported.
        chance: That figure of a network that learned nothing.
        score: The figure of outputs, one array per head, for rows of these numbers.
    """

    attach: Callable[[keras.Model], keras.Model]
    goals: tuple[Goal, ...]
    rows: Rows
    train: np.ndarray
    held_out: np.ndarray
    epochs: int
    figure: str
    chance: float
    score: Callable[[Sequence[np.ndarray], np.ndarray], float]


@dataclass(frozen=True, eq=False)
class Copies:
    """Corrupted copies of rows.

    Attributes:
        rows: Corrupted inputs and targets, those to learn from before those held out.
        train: The numbers of those to learn from.
        held_out: The numbers of those to watch, one per row held out.
        epochs: Over those to learn from, so that each original row is seen this often.
    """

    rows: Rows
    train: np.ndarray
    held_out: np.ndarray
    epochs: int


def corrupted(x: Unlabeled, corrupt: Corrupt) -> Copies:
    """Copies of every training row, each corrupted differently, as many as `MEMORY` and `ROUNDS` allow."""
    rng = np.random.default_rng(x.seed)
    trial = corrupt(_taken(x.inputs, x.train[:1]), np.random.default_rng(x.seed))
    row_bytes = sum(array.nbytes for array in (*trial[0].values(), *trial[1]))
    seen = len(x.train) * x.epochs
    rounds = max(min(x.epochs, ROUNDS), -(-seen * row_bytes // MEMORY))
    wanted = -(-seen // rounds)
    times = -(-wanted // len(x.train))
    again = np.concatenate([rng.permutation(x.train) for _ in range(times)])[:wanted]
    numbers = np.concatenate([again, x.held_out])
    pieces = [
        corrupt(_taken(x.inputs, numbers[start : start + _PIECE]), rng)
        for start in range(0, len(numbers), _PIECE)
    ]
    inputs = {name: np.concatenate([piece[0][name] for piece in pieces]) for name in trial[0]}
    targets = tuple(np.concatenate(parts) for parts in zip(*(piece[1] for piece in pieces), strict=True))
    return Copies(
        Rows(inputs, targets),
        np.arange(wanted),
        np.arange(wanted, len(numbers)),
        rounds,
    )


@deep_graphs()
def attached(network: keras.Model, reads: str, head: Callable[[Any], Any]) -> keras.Model:
    """The network up to a tap, and a head of its own on it.

    Args:
        network: From its inputs to its logits.
        reads: `encoding`, `embedding`, or the name of any layer before the scores. Of a model that holds
            several networks, the taps of all of them, side by side.
        head: From the tap to the outputs of the task.

    Raises:
        ConfigError: If there is no such tap, or it is what the network itself predicts with.
    """
    found = keras.tree.flatten(tap(network, reads).output)
    scores = {id(tensor) for tensor in keras.tree.flatten(network.output)}
    if any(id(tensor) in scores for tensor in found):
        raise ConfigError(
            "A pretext task reads features, not the scores of the classes.",
            received=f"reads={reads!r}",
            remedy="reads='embedding' or reads='encoding'",
        )
    return keras.Model(network.input, head(found[0] if len(found) == 1 else layers.Concatenate()(found)))


def _taken(inputs: Mapping[str, np.ndarray], numbers: np.ndarray) -> Arrays:
    return {name: values[numbers] for name, values in inputs.items()}
