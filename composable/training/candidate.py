"""What is trained on which rows, and what came of it; a candidate is plain JSON as well."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from keras import ops

from composable.core.errors import ArtifactError, ConfigError
from composable.design import Architecture, Input, Part
from composable.design.config import from_config, to_config
from composable.engine.averaging import EMA, SWA, Lookahead
from composable.engine.history import History
from composable.engine.optimizer import Group, Optimizer
from composable.engine.rows import on_host
from composable.engine.rules import Rule
from composable.engine.settings import Settings
from composable.problem.postprocessing import PostProcessing
from composable.problem.problem import Problem
from composable.training.table_file import SampledFile

_ROWS = 2048  # resized at once


@dataclass(frozen=True)
class Small:
    """How a network begins.

    Attributes:
        share: Of the time, which it learns from small images.
        scale: Of their sides, below 1.
    """

    share: float = 0.4
    scale: float = 0.5


def shrunk(images: np.ndarray, scale: float) -> np.ndarray:
    """The images with sides so many times as long, each new pixel the mean of those that it covers.

    Args:
        images: (rows, height, width, channels) of uint8.
        scale: Below 1.
    """
    height, width = (max(1, round(scale * side)) for side in images.shape[1:3])
    found = np.empty((len(images), height, width, images.shape[3]), np.uint8)
    for first in range(0, len(images), _ROWS):
        some = images[first : first + _ROWS].astype("float32")
        made = ops.image.resize(some, (height, width), antialias=True, data_format="channels_last")
        found[first : first + _ROWS] = np.clip(np.rint(on_host(made)), 0, 255)
    return found


Arrays = list[np.ndarray]
REFIT = -1  # instead of a fold's number: a network that learned from the rows of all folds


@dataclass(frozen=True)
class Candidate:
    """An architecture and how it is trained.

    Attributes:
        name: Of the candidate.
        architecture: Without openings.
        settings: Of its training.
        share: Of the time that is left, which a schedule is made to take at most.
        begin: Weights to begin with, instead of drawn ones.
        frozen: The numbers of layers that neither learn nor gather statistics.
        small: Whether and how it begins on smaller images; its weights must fit images of any size.
        solver: What fits the weights in closed form, where they aren't trained step by step: a part
            that takes a `composable.training.closed_form.ClosedFormProblem` and returns a `Solution`. The
            settings then mean nothing.
    """

    name: str
    architecture: Architecture
    settings: Settings
    share: float = 1.0
    begin: tuple[np.ndarray, ...] | None = field(default=None, repr=False, compare=False)
    frozen: tuple[int, ...] = ()
    small: Small | None = None
    solver: Part | None = None


@dataclass(frozen=True)
class Baseline:
    """A model of another kind, which networks have to beat; it is never deployed.

    Attributes:
        name: For the leaderboard.
        seconds: How long one fold will take: `composable.training.baseline.BaselineProblem` -> seconds.
        predict: Learn and predict: `BaselineProblem` -> numbers or probabilities, one array per head.
        first: Whether it is tried before the first network, which takes all the time that there is.
    """

    name: str
    seconds: Part
    predict: Part
    first: bool = False


@dataclass(frozen=True, eq=False)
class Material:
    """The encoded rows of a run.

    Attributes:
        problem: The heads, which define what the targets are.
        inputs: The model's inputs, row by row.
        targets: One array per head, as `encode_targets` gives them.
        categories: The number of codes of each category column.
        weights: A weight per row, or None.
        own_test: Inputs of the user's own test file, or None.
        vocabularies: The number of ids of each input of texts.
        file: The file that the rows are a sample of; None if they are all there are.
    """

    problem: Problem
    inputs: Mapping[str, np.ndarray]
    targets: tuple[np.ndarray, ...]
    categories: tuple[int, ...]
    weights: np.ndarray | None = None
    own_test: Mapping[str, np.ndarray] | None = None
    vocabularies: Mapping[str, int] = field(default_factory=dict)
    file: SampledFile | None = None

    @property
    def widths(self) -> dict[str, int]:
        """The width of each input that is one vector per row."""
        return {name: int(values.shape[1]) for name, values in self.inputs.items() if values.ndim == 2}

    @property
    def shapes(self) -> dict[str, Input]:
        """What a network takes in."""
        return {name: Input(v.shape[1:], v.dtype.name) for name, v in self.inputs.items()}

    @property
    def megabytes(self) -> float:
        """What the inputs take in memory, in 10^6 bytes."""
        return sum(values.nbytes for values in self.inputs.values()) / 1e6

    def at(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The inputs of these rows."""
        return {name: values[rows] for name, values in self.inputs.items()}


@dataclass(frozen=True, eq=False)
class Trained:
    """One network: its weights after one fold, and its logits per head for rows it didn't learn from.

    `weights` is empty where they lie on the disk alone, see `composable.training.storage`. With `mirrored`
    the logits are means of those of each image and of the image mirrored, because they were better on the
    held-out rows. Of a closed-form fit `chosen` holds the hyperparameters that its own held-out rows chose
    (`composable.training.closed_form.Solution`); weights and logits are by those that the other folds chose.
    With `whole_file` it learned from a file that the rows are a sample of, but for what is held out in the
    first fold. With `dropped` its weights were removed to free disk: it has a score, but can't answer.
    `together` are the folds that were trained at once with it, itself included: closed-form fits learn from
    each other's choices.
    """

    fold: int
    weights: Arrays
    postprocessing: tuple[PostProcessing, ...]
    history: History
    seconds: float
    held_out: Arrays
    test: Arrays
    own_test: Arrays
    mirrored: bool = False
    chosen: Mapping[str, float] = field(default_factory=dict)
    whole_file: bool = False
    dropped: bool = False
    together: tuple[int, ...] = ()


_PLAIN = (Baseline, Candidate, Settings, Optimizer, Group, Rule, EMA, SWA, Lookahead, Small)
_RECORDS = {one.__name__: one for one in _PLAIN}


def to_plain(value: Any) -> Any:
    """A candidate, or what it is made of, as plain JSON values; weights to begin with are left out.

    Raises:
        ConfigError: If it holds something that has no name, such as an optimizer of the user's own.
    """
    if isinstance(value, Architecture):
        return {"architecture": value.to_config()}
    if isinstance(value, Part):
        return {"part": to_config(value)}
    if type(value).__name__ in _RECORDS:
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {
            "record": type(value).__name__,
            "fields": {name: to_plain(one) for name, one in fields.items() if name != "begin"},
        }
    if isinstance(value, Mapping):
        return {"mapping": {str(key): to_plain(one) for key, one in value.items()}}
    if isinstance(value, (tuple, list)):
        return [to_plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ConfigError(
        "What is trained in another process is made of registered components and plain values.",
        received=repr(value)[:200],
        remedy="train in one process: leave --workers out",
    )


def from_plain(value: Any) -> Any:
    """Rebuild what `to_plain` wrote.

    Raises:
        ArtifactError: If it names a component or a record that isn't there.
    """
    match value:
        case {"architecture": config}:
            return Architecture.from_json(json.dumps(config))
        case {"part": config}:
            return from_config(config)
        case {"record": str() as name, "fields": dict() as fields}:
            if name not in _RECORDS:
                raise ArtifactError("A job names known records.", received=repr(name)[:100])
            return _RECORDS[name](**{key: from_plain(one) for key, one in fields.items()})
        case {"mapping": dict() as mapping}:
            return {key: from_plain(one) for key, one in mapping.items()}
        case list():
            return tuple(from_plain(one) for one in value)
    return value


def modules_of(value: Any) -> set[str]:
    """The modules that define the components of a candidate or of what it is made of.

    Components register themselves as their module is imported: another process has to import these before
    `from_plain` finds them.
    """
    if isinstance(value, Part):
        inner = modules_of(tuple(value.metaparameters.values()))
        return {getattr(value.component, "__module__", "keras"), *inner}
    if isinstance(value, (tuple, list)):
        return set[str]().union(*map(modules_of, value))
    if dataclasses.is_dataclass(value):
        return modules_of(tuple(getattr(value, one.name) for one in dataclasses.fields(value)))
    return set()
