"""A pretext task: a question about rows that needs no labels, and that the same network can answer.

A task is a component `(x, *, metaparameters) -> Pretext`, x being `Unlabeled`. Corruptions are drawn once,
on the host: the same on every backend, and the rows held out are corrupted too.

Tasks for images ask for the images among a network's inputs, and the range of their pixels.
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


@dataclass(frozen=True, eq=False)
class Images:
    """Of one input.

    Attributes:
        name: Of the input.
        shape: Height, width, channels.
        dtype: Of the pixels.
        low: The darkest.
        high: The brightest.
        mean: Of the training images, pixel by pixel, from 0 to 1, shape (height, width, channels).
        deviation: From that mean, over all training pixels, from 0 to 1.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    low: float
    high: float
    mean: np.ndarray
    deviation: float

    def to_unit(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels from 0 to 1, float32."""
        return (pixels.astype("float32") - self.low) / (self.high - self.low)

    def from_unit(self, pixels: np.ndarray) -> np.ndarray:
        """The reverse; what lies beyond 0 and 1 is cut off."""
        scaled = np.clip(pixels, 0.0, 1.0) * (self.high - self.low) + self.low
        return (np.rint(scaled) if self.dtype.kind in "iu" else scaled).astype(self.dtype)


def images_of(x: Unlabeled) -> Images:
    """The one input that holds images.

    Raises:
        DataError: If there is none or more than one, or all training pixels are the same.
    """
    found = [name for name, values in x.inputs.items() if values.ndim == 4]
    if len(found) != 1:
        raise DataError(
            "A pretext task for images takes one input of images, (rows, height, width, channels).",
            received=", ".join(f"{name} {values.shape}" for name, values in x.inputs.items())[:200],
            remedy="for tables there is the task `masking`",
        )
    values = x.inputs[found[0]]
    chosen = values[np.sort(x.train)]
    low, high = (0.0, 255.0) if values.dtype == np.uint8 else (float(chosen.min()), float(chosen.max()))
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise DataError(
            "The pixels of training images are finite, and not all the same.",
            received=f"{found[0]}: from {low} to {high}",
        )
    mean = chosen.mean(axis=0, dtype="float64")
    variance = np.mean([np.mean((image - mean) ** 2) for image in chosen])  # one by one: memory
    height, width, channels = (int(side) for side in values.shape[1:])
    return Images(
        name=found[0],
        shape=(height, width, channels),
        dtype=values.dtype,
        low=low,
        high=high,
        mean=((mean - low) / (high - low)).astype("float32"),
        deviation=float(np.sqrt(variance)) / (high - low) or 1.0,  # 0 for a single image
    )
