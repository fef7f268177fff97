"""A cohort of one job: where each instance begins, and what it is trained with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from composable.engine.cohort import Cohort, Instance
from composable.engine.initialize import initialize
from composable.engine.settings import Settings
from composable.training.stages.stage import Job, Weights


@dataclass(frozen=True, eq=False)
class Start:
    """Of one instance.

    Attributes:
        settings: How it is trained.
        seed: Of the order of the rows, of dropout, and of its weights if it draws them.
        weights: To begin with; None to draw them.
    """

    settings: Settings
    seed: int
    weights: Weights | None = None


def cohort_of(job: Job, starts: Sequence[Start], *, held_out: np.ndarray | None = None) -> Cohort:
    """The instances that begin so, all learning from the job's training rows.

    Args:
        job: Gives the network, the rows and the goals.
        starts: Their settings agree in `Settings.shared`.
        held_out: The rows they are watched on; all that the job holds out where left out.
    """
    watched = job.held_out if held_out is None else held_out
    instances = tuple(Instance(job.train, watched, start.seed, start.settings) for start in starts)

    def begin(model: keras.Model, number: int) -> None:
        set_start(job, model, starts[number])

    return Cohort(job.build(), job.goals, job.rows, instances, begin)


def set_start(job: Job, model: keras.Model, start: Start) -> None:
    """Give a network the values that an instance begins with."""
    if start.weights is not None:
        model.set_weights(list(start.weights))
    elif job.begin is not None:
        job.begin(model, start.seed)
    else:
        initialize(model, job.build, start.seed)
