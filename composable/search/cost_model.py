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

_SECONDS_PER_LAYER = 0.1  # to compile, on a usual processor
_SECONDS_PER_STEP = 5e-4  # of work that doesn't grow with the network, likewise
_PER_SECOND = 10e9  # multiply-adds of training, likewise
_SLOWEST = 4.0  # times as slow, or as fast, as such a processor
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
        steps: Of one epoch; 0 for closed-form fits, which are one pass over the rows.
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
        """How long a training will take, estimated by the same candidate's, else by others'.

        Of the same candidate's trainings the last of those counts that had the most similar work to do: what
        takes as long for all sizes makes small ones look slow. The others measure how fast the machine is:
        closed-form fits for such fits, networks for networks. Small networks, whose steps take as long as
        those of larger ones, do not measure the seconds per multiply-add.
        """
        same = [known for known in reversed(self.timings) if known.work.name == work.name]
        if same:
            known = min(same, key=lambda one: abs(math.log(_ratio(work, one.work))))
            return Timing(work, known.compiling, known.epoch * _ratio(work, known.work))
        usual = _usual(work)
        alike = [one for one in self.timings if (one.work.steps == 0) == (work.steps == 0)]
        compiling = [one.compiling / _usual(one.work).compiling for one in alike]
        epoch = [one.epoch / _usual(one.work).epoch for one in alike]
        return Timing(work, usual.compiling * _slowness(compiling), usual.epoch * _slowness(epoch))

    def least_seconds(self, work: Work, *, compiled: bool = False) -> float:
        """What a training takes at least to be of use: compiling, an epoch, and some hundred steps.

        A closed-form fit is compiled once more, when it is deployed.

        Args:
            work: What it is.
            compiled: Whether it was compiled already.
        """
        expected = self.expected(work)
        if work.steps == 0:
            return 2 * expected.compiling + expected.epoch
        compiling = 0.0 if compiled else expected.compiling
        return compiling + max(1.0, _STEPS / work.steps) * expected.epoch


def _ratio(work: Work, known: Work) -> float:
    """How many times as much one has to do as the other."""
    return max(work.multiply_adds, 1.0) / max(known.multiply_adds, 1.0)


def _usual(work: Work) -> Timing:
    """How long a training takes on a usual processor."""
    epoch = work.steps * _SECONDS_PER_STEP + max(work.multiply_adds, 1.0) / _PER_SECOND
    return Timing(work, _SECONDS_PER_LAYER * max(work.layers, 1), epoch)


def _slowness(ratios: Sequence[float]) -> float:
    """How many times as long as usual things take, estimated by what was measured."""
    return float(np.clip(np.median(ratios), 1 / _SLOWEST, _SLOWEST)) if ratios else 1.0


def timing_of(work: Work, epochs: Sequence[float], seconds: float) -> Timing:
    """A measurement from the seconds of each epoch, the first of which may have compiled, and of all."""
    usual = float(np.median(epochs[1:] or epochs)) if epochs else math.nan
    return Timing(work, max(0.0, seconds - usual * len(epochs)), usual)


def closed_form_timing(work: Work, seconds: float) -> Timing:
    """A measurement from all seconds of closed-form fits, whose parts are taken to be as usual."""
    usual = _usual(work)
    factor = seconds / (usual.compiling + usual.epoch)
    return Timing(work, factor * usual.compiling, factor * usual.epoch)


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
