"""The training itself, with the settings that the stages before it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design.part import Part, component
from composable.engine.history import History
from composable.engine.regulation import final_phase, schedule_section
from composable.engine.rows import held_out_blocks
from composable.engine.schedules import Factor, Growth
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.training.stages.stage import (
    Job,
    Outcome,
    Progress,
    Start,
    Weights,
    cohort_of,
    out_of_time,
    part_of,
)

Late = Annotated[float, Field(ge=0, lt=1)]


@component
def fit(
    job: Job,
    progress: Progress,
    *,
    deadline: Deadline,
    late_share: Late = 0.0,
    batch: Growth = 4.0,
    regularization: Factor = 0.5,
) -> Outcome:
    """Train to the end, and hand on the weights that were best on the held-out rows.

    The gain is what the network has learned in it: the held-out measure before it less the best one. It has
    no spread, and the stage is never dropped.

    Args:
        job: What is trained.
        progress: Where it begins, and the settings.
        deadline: Of everything; all that is left of it may be used.
        late_share: Of the epochs, at the end, that have larger batches and less regularization; 0 for none.
            They begin with new moments in the optimizer.
        batch: What the batch size is multiplied by then.
        regularization: What dropout, weight decay and label smoothing are multiplied by then.
    """
    if deadline.remaining <= 0:
        return out_of_time("fit", progress)
    weights, best, before, histories = progress.weights, None, None, []
    phases = phases_of(progress.settings, late_share, batch=batch, regularization=regularization)
    for number, settings in enumerate(phases):
        if deadline.remaining <= 0:
            break
        cohort = cohort_of(job, [Start(settings, derive(job.seed, "fit", number), weights)])
        if before is None:
            before = float(cohort.program.measured(held_out_blocks([job.held_out]))[0])
        shares = 1.0 if number == len(phases) - 1 else 1.0 - late_share
        histories += train(cohort, deadline=part_of(deadline, shares))
        weights = tuple(cohort.weights(best=False)[0])
        if not best or histories[-1].best < min(history.best for history in histories[:-1]):
            best = tuple(cohort.weights()[0])
    return _outcome(progress, best, before, histories)


def phases_of(
    settings: Settings, late_share: float, *, batch: float, regularization: float
) -> list[Settings]:
    """The settings of the whole training, or of its two phases, each with its part of the schedules."""
    if not late_share:
        return [settings]
    last = min(max(1, round(late_share * settings.epochs)), settings.epochs - 1)
    if not last:
        return [settings]
    turn = 1.0 - last / settings.epochs
    first = replace(_portion(settings, 0.0, turn), epochs=settings.epochs - last)
    rest = replace(_portion(settings, turn, 1.0), epochs=last)
    return [first, final_phase(rest, batch=batch, regularization=regularization)]


def _portion(settings: Settings, low: float, high: float) -> Settings:
    names = (
        "learning_rate_schedule",
        "weight_decay_schedule",
        "dropout_schedule",
        "label_smoothing_schedule",
    )
    cut = {name: Part(schedule_section, of=getattr(settings, name), low=low, high=high) for name in names}
    return replace(settings, **cut)


def _outcome(
    progress: Progress, best: Weights | None, before: float | None, histories: Sequence[History]
) -> Outcome:
    found = min((history.best for history in histories), default=float("inf"))
    evidence = {
        "before": before,
        "losses": [epoch.loss for history in histories for epoch in history.epochs],
        "held_out": [epoch.held_out for history in histories for epoch in history.epochs],
        "stopped": [history.stopped for history in histories],
    }
    if best is None or found == float("inf"):
        return Outcome("fit", progress, "failed", "the loss was never a number", evidence=evidence)
    cut = any(history.stopped == "deadline" for history in histories)
    return Outcome(
        "fit",
        Progress(best, progress.settings),
        reason="the time ended before the training did" if cut else "",
        gain=before - found if before is not None and np.isfinite(found) else None,
        evidence=evidence,
    )
