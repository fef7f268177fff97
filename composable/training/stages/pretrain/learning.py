"""Train the network on a pretext, once per seed, and take out what it shares with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from composable.core.budget import Deadline
from composable.engine.cohort import Cohort, Instance
from composable.engine.history import History, best_first
from composable.engine.initialize import initialize
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.training.stages.pretrain.pretext import Pretext
from composable.training.stages.stage import Job, Weights
from composable.training.stages.starts import Start, set_start

_SCORED = 1024  # rows held out, at most, that the pretext's figure is of


@dataclass(frozen=True, eq=False)
class Learned:
    """What the pretext came to.

    Attributes:
        weights: Of the network, one per seed: what it shares with the pretext's model as that learned it, the
            head of its own task freshly drawn.
        histories: Of the pretext.
        figures: Of the pretext, on rows held out; empty if there are none.
    """

    weights: tuple[Weights, ...]
    histories: tuple[History, ...]
    figures: tuple[float, ...]

    @property
    def sound(self) -> tuple[int, ...]:
        """The numbers of the seeds whose loss stayed finite, the one that answered best first."""
        return tuple(n for n in best_first(self.histories) if self.histories[n].stopped != "nan")

    def shortened(self, planned: int) -> str:
        """What the deadline left out of so many epochs."""
        done = max(len(one.epochs) for one in self.histories)
        cut = done < planned or any(one.stopped == "deadline" for one in self.histories)
        return f"the deadline ended the pretext in epoch {done} of {planned}" if cut else ""

    def evidence(self, pretext: Pretext) -> dict[str, Any]:
        """For `Outcome.evidence`."""
        return {
            "pretext_rows": len(pretext.train),
            "pretext_epochs": [len(one.epochs) for one in self.histories],
            "pretext_figure": pretext.figure,
            "pretext_reached": list(self.figures),
            "pretext_chance": pretext.chance if self.figures else None,
        }


def learn(
    job: Job, pretext: Pretext, starts: Sequence[Start], settings: Settings, deadline: Deadline
) -> Learned:
    """Train one instance per start, in one cohort.

    Args:
        job: Gives the network.
        pretext: What it learns.
        starts: Where the network begins; the pretext's head is drawn by the same seed.
        settings: Of the pretext's training.
        deadline: Reached, it ends the training.
    """
    network = job.build()
    model = pretext.attach(network)

    def begin(_: keras.Model, number: int) -> None:
        initialize(model, lambda: pretext.attach(job.build()), starts[number].seed)
        set_start(job, network, starts[number])  # the model has the network's own layers

    instances = tuple(Instance(pretext.train, pretext.held_out, start.seed, settings) for start in starts)
    cohort = Cohort(model, pretext.goals, pretext.rows, instances, begin)
    histories = tuple(train(cohort, deadline=deadline))
    weights = []
    for start, values in zip(starts, cohort.weights(), strict=True):
        set_start(job, network, replace(start, weights=None))
        model.set_weights(values)
        weights.append(tuple(np.array(value) for value in network.get_weights()))
    return Learned(tuple(weights), histories, _figures(cohort, pretext))


def _figures(cohort: Cohort, pretext: Pretext) -> tuple[float, ...]:
    shown = pretext.held_out[:_SCORED]
    if not len(shown):
        return ()
    return tuple(pretext.score(heads, shown) for heads in cohort.program.outputs([shown] * len(cohort)))
