"""What the stages of a training have in common: the job, what one hands to the next, what each came to.

A stage is a component `(job, progress, *, deadline, metaparameters) -> Outcome`. It trains on the job's
training rows and scores on its held-out rows; it never sees others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import keras
import numpy as np
from pydantic import Field

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
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
