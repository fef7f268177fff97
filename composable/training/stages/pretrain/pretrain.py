"""The stage `pretrain`: the network first learns a task that needs no labels.

The head of that task is thrown away afterwards; the layers that the two tasks share are the stage's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import keras
import numpy as np
from pydantic import Field

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design.metaparameters import Count
from composable.design.part import Component, Part, component
from composable.engine.cohort import Cohort, Instance
from composable.engine.history import History, best_first
from composable.engine.initialize import initialize
from composable.engine.objective import labeled
from composable.engine.rows import on_host
from composable.engine.schedules import cosine
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.training.stages.gain import Gain, concluded, for_scoring, measure_gain
from composable.training.stages.pretrain.pretext import Pretext, Unlabeled, UnsuitedNetworkError
from composable.training.stages.stage import (
    Job,
    Outcome,
    Progress,
    Share,
    Start,
    Weights,
    out_of_time,
    part_of,
    set_start,
)

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


_STAGE = "pretrain"
_PRETEXT_SHARE = 0.5  # of the stage's time; the rest is for measuring what it gains

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@component
def pretrain(  # noqa: PLR0913 (a recipe states every metaparameter)
    job: Job,
    progress: Progress,
    *,
    deadline: Deadline,
    task: Component | None = None,
    epochs: Count = 10,
    batch_size: Count = 32,
    learning_rate: Rate | None = 1e-3,
    seeds: Count = 3,
    scored_for: Count = 30,
    share: Share = 0.2,
) -> Outcome:
    """Train on a pretext task, on all training rows, labeled or not, and keep what both tasks share.

    It is done once per seed, side by side. Then the network is trained for its own task from each of these
    beginnings and, for comparison, from the weights that the stage received, equally long. The output is the
    beginning with the best measure of the pretext.

    Args:
        job: What is trained.
        progress: Its weights are where the pretext begins; drawn afresh for each seed, if there are none.
        deadline: Of everything.
        task: A component that makes a `Pretext`; the stage is skipped without one, or where the network can't
            learn it.
        epochs: Of the pretext: how often each row is seen. The author's, as are batch size and rate.
        batch_size: Of the pretext.
        learning_rate: Of the pretext, falling to 0 by half a cosine. None for that of the progress.
        seeds: How many times.
        scored_for: That the comparison takes, at most.
        share: Of the time left, that this stage takes at most; half of it goes to the comparison.

    Returns:
        The output has the head of the network's own task as freshly drawn. The evidence is the task,
        the pretext's figure of each seed and that of chance, and both sides of the comparison.
    """
    if task is None:
        return Outcome(_STAGE, progress, "skipped", "no pretext task is known for these rows")
    if deadline.remaining <= 0:
        return out_of_time(_STAGE, progress)
    until = part_of(deadline, share)
    seen = derive(job.seed, _STAGE, "rows")
    pretext = task(Unlabeled(job.rows.inputs, job.train, job.held_out, epochs, seen))
    settings = Settings(
        optimizer=progress.settings.optimizer,
        learning_rate=learning_rate or progress.settings.learning_rate,
        learning_rate_schedule=Part(cosine),
        weight_decay=progress.settings.weight_decay,
        batch_size=batch_size,
        epochs=pretext.epochs,
        patience=None,
    )
    numbers = [derive(job.seed, _STAGE, number) for number in range(seeds)]
    starts = [Start(progress.settings, number, progress.weights) for number in numbers]
    try:
        learned = learn(job, pretext, starts, settings, part_of(until, _PRETEXT_SHARE))
    except UnsuitedNetworkError as unsuited:
        return Outcome(_STAGE, progress, "skipped", str(unsuited))
    evidence = {"task": repr(task), **learned.evidence(pretext)}
    if not learned.sound:
        return Outcome(_STAGE, progress, "failed", "the pretext's loss diverged", evidence=evidence)
    gain = _gain(job, starts, learned, scored_for, until)
    reached = Progress(learned.weights[learned.sound[0]], progress.settings)
    return concluded(
        progress,
        Outcome(_STAGE, reached, evidence=evidence),
        gain,
        cut=learned.shortened(pretext.epochs),
    )


def _gain(job: Job, starts: Sequence[Start], learned: Learned, epochs: int, deadline: Deadline) -> Gain:
    """On rows with a label alone: with few of them most batches would otherwise teach nothing."""
    known = replace(job, train=_with_label(job))
    settings = for_scoring(starts[0].settings, min(epochs, starts[0].settings.epochs))
    without = [replace(start, settings=settings) for start in starts]
    reached = [replace(one, weights=weights) for one, weights in zip(without, learned.weights, strict=True)]
    return measure_gain(known, without, reached, held_out=job.held_out, deadline=deadline)


def _with_label(job: Job) -> np.ndarray:
    known = np.zeros(len(job.train), bool)
    for goal, target in zip(job.goals, job.rows.targets, strict=True):
        known |= on_host(labeled(goal, target[job.train])[0]) > 0
    return job.train[known]
