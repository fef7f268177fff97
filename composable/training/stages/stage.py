"""What the stages of a training have in common: the job, what one hands to the next, what each came to.

A stage is a component `(job, progress, *, deadline, metaparameters) -> Outcome`. It trains on the job's
training rows and scores on its held-out rows; it never sees others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import keras
import numpy as np
from pydantic import Field

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.engine.cohort import Cohort, Instance
from composable.engine.initialize import initialize
from composable.engine.objective import Goal
from composable.engine.rows import Rows
from composable.engine.settings import Settings

Weights = tuple[np.ndarray, ...]
Status = Literal["done", "dropped", "skipped", "failed"]
Several = Annotated[int, Field(ge=2)]
"""Seeds or draws, whose spread is known."""
Share = Annotated[float, Field(gt=0, le=1)]
"""Of the time that is left."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """What is trained: the same for all stages.

    Attributes:
        name: Of the training, for messages; part of its identity.
        build: Gives the network from its inputs to its logits, freshly initialized, each time a new one.
        goals: One per output.
        rows: Those that the numbers in `train` and `held_out` are of.
        train: The numbers of the rows to learn from.
        held_out: The numbers of the rows to score on.
        settings: How the fit is trained; a stage may hand on changed ones.
        seed: For everything random.
        begin: Gives a network the values that it begins with, which are drawn by a seed and fitted to the
            training rows; None where its weights are drawn alone.

    Raises:
        ConfigError: If there are no rows to learn from or none to score on.
    """

    name: str
    build: Callable[[], keras.Model]
    goals: tuple[Goal, ...]
    rows: Rows
    train: np.ndarray
    held_out: np.ndarray
    settings: Settings
    seed: int
    begin: Callable[[keras.Model, int], None] | None = None

    def __post_init__(self) -> None:
        if not (len(self.train) and len(self.held_out)):
            raise ConfigError(
                "Stages learn from some rows and score on others.",
                received=f"{self.name}: {len(self.train)} rows to learn from, {len(self.held_out)} held out",
                remedy="hold out a tenth of the rows",
            )


@dataclass(frozen=True, eq=False)
class Progress:
    """What a stage hands to the next.

    Attributes:
        weights: As `model.set_weights` takes them; None to draw afresh.
        settings: Of the training that follows.
    """

    weights: Weights | None
    settings: Settings


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a stage came to.

    Attributes:
        stage: Its name.
        progress: The stage's output: what it reached; `run_stages` replaces it by what the stage received,
            if the stage is dropped.
        status: A stage gives "done", "skipped" (it did nothing, for lack of time or of anything to do) or
            "failed"; "dropped" is `run_stages`'s word.
        reason: Why it isn't done, or what it had to leave out; may be empty.
        gain: The held-out measure without the stage minus that with it, both trained on equally long; None
            where it wasn't measured.
        spread: The standard error of the gain, over several seeds; None where it has none.
        seconds: `run_stages` fills them in.
        evidence: What the report shows, as plain JSON.
    """

    stage: str
    progress: Progress
    status: Status = "done"
    reason: str = ""
    gain: float | None = None
    spread: float | None = None
    seconds: float = 0.0
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pays(self) -> bool:
        """Whether the gain exceeds its noise; what wasn't measured is not known not to."""
        return self.gain is None or self.spread is None or self.gain > self.spread


Stage = Callable[..., Outcome]  # (job, progress, *, deadline, metaparameters)


def part_of(deadline: Deadline, share: float) -> Deadline:
    """A deadline after `share` of the time that is left."""
    return deadline.keeping(deadline.remaining * (1.0 - share)) if np.isfinite(deadline.seconds) else deadline


def out_of_time(stage: str, received: Progress) -> Outcome:
    """Of a stage that had no time to begin."""
    return Outcome(stage, received, "skipped", "no time was left for it")


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
