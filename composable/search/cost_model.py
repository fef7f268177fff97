"""How long a training will take, learned while runs go on: compiling, and then epoch after epoch.

The one place for such guesses. What was measured is kept beside the compiled programs, so that a later run on
the same machine begins with it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from composable.core.workspace import write_json

_SECONDS_PER_LAYER = 0.12  # to compile, before anything was measured
_PER_SECOND = 10e9  # multiply-adds of training, likewise
_STEPS = 300  # with fewer a network is hardly better than what it began with
_KEPT = 200  # measurements
_FILE = "costs.json"


@dataclass(frozen=True)
class Work:
    """What decides how long a training takes.

    Attributes:
        name: Of the candidate.
        layers: Of its network.
        multiply_adds: Of one epoch of all its folds.
        steps: Of one epoch.
    """

    name: str
    layers: int
    multiply_adds: float
    steps: int


@dataclass(frozen=True)
class Timing:
    """How long a training took.

    Attributes:
        work: What it was.
        compiling: Seconds before and beside the epochs.
        epoch: Seconds of one epoch.
    """

    work: Work
    compiling: float
    epoch: float


@dataclass(frozen=True)
class CostModel:
    """Predicts by what was measured.

    Attributes:
        timings: The latest last.
    """

    timings: tuple[Timing, ...] = ()

    def learned(self, timing: Timing) -> CostModel:
        """The model with one more measurement."""
        return replace(self, timings=(*self.timings, timing)[-_KEPT:])

    def expected(self, work: Work) -> Timing:
        """How long a training will take, judged by the same candidate's last one, else by all others."""
        for known in reversed(self.timings):
            if known.work.name == work.name:
                ratio = work.multiply_adds / max(known.work.multiply_adds, 1.0)
                return Timing(work, known.compiling, known.epoch * ratio)
        per_layer = [one.compiling / max(one.work.layers, 1) for one in self.timings] or [_SECONDS_PER_LAYER]
        per_add = [one.epoch / max(one.work.multiply_adds, 1.0) for one in self.timings] or [1 / _PER_SECOND]
        return Timing(
            work, float(np.median(per_layer)) * work.layers, float(np.median(per_add)) * work.multiply_adds
        )

    def least_seconds(self, work: Work) -> float:
        """What a training takes at least to be of use: compiling, an epoch, and some hundred steps."""
        expected = self.expected(work)
        return expected.compiling + max(1.0, _STEPS / work.steps) * expected.epoch


def timing_of(work: Work, epochs: Sequence[float], seconds: float) -> Timing:
    """A measurement from the seconds of each epoch, the first of which may have compiled, and of all."""
    usual = float(np.median(epochs[1:] or epochs)) if epochs else math.nan
    return Timing(work, max(0.0, seconds - usual * len(epochs)), usual)


def load_cost_model(folder: Path | None) -> CostModel:
    """What earlier runs measured; nothing where there is no file that can be read."""
    try:
        stored = json.loads((folder / _FILE).read_text(encoding="utf-8")) if folder else []
        timings = tuple(Timing(Work(**one["work"]), one["compiling"], one["epoch"]) for one in stored)
    except (OSError, ValueError, TypeError, KeyError):
        return CostModel()
    return CostModel(timings)


def save_cost_model(model: CostModel, folder: Path | None) -> None:
    """Keep what was measured, where there is a folder that can be written."""
    if folder is None:
        return
    try:
        write_json(folder / _FILE, [asdict(one) for one in model.timings])
    except OSError:
        return  # it was only a convenience
