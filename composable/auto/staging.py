"""Stages that a candidate goes through before its fit, on each rotation's own rows, never its test rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from composable.core.budget import Deadline
from composable.data.split import Rotation
from composable.design.part import Part
from composable.engine.settings import Settings
from composable.training.rotating import Workbench
from composable.training.stages.recipe import STAGES, Recipe
from composable.training.stages.rotation_job import rotation_job
from composable.training.stages.run import run_stages
from composable.training.stages.stage import Outcome, Weights

_STAGES = {stage.__name__: stage for stage in STAGES}
_OF_SETTINGS = ("tune",)  # what they find on one rotation holds for all


@dataclass(frozen=True, eq=False)
class Staged:
    """What the stages before the fit came to.

    Attributes:
        settings: To fit with.
        starts: Weights to begin with, by rotation; none where they are drawn.
        facts: Of each stage, for `trial.json`.
    """

    settings: Settings
    starts: Mapping[int, Weights]
    facts: tuple[dict[str, Any], ...]


def go_through(
    bench: Workbench,
    rotations: Mapping[int, Rotation],
    names: Sequence[str],
    *,
    seed: int,
    deadline: Deadline,
    folder: Path,
    notice: Callable[[str], None],
) -> Staged:
    """Let a candidate go through these stages.

    Stages that change settings alone are gone through on the first rotation, the others on each, whose
    networks begin with what came of their own.

    Args:
        bench: The candidate and the rows.
        rotations: Which rows are which, by number.
        names: Of the stages, in their order.
        seed: For everything random.
        deadline: Of all of them.
        folder: Where the outcomes are kept.
        notice: Told what the person should know.
    """
    recipe = Recipe(tuple(Part(_STAGES[name]) for name in names))
    several = not set(names) <= set(_OF_SETTINGS)
    wanted = dict(rotations) if several else dict(list(rotations.items())[:1])
    found: dict[int, tuple[Outcome, ...]] = {}
    for place, (number, rotation) in enumerate(wanted.items()):
        share = deadline.remaining / (len(wanted) - place)
        job = rotation_job(bench, rotation, seed=seed)
        found[number] = run_stages(
            replace(job, name=f"{job.name} {number}"),
            recipe,
            deadline=Deadline(share, deadline.clock),
            folder=folder / f"stages-{number}",
            notice=notice,
        )
    last = {number: outcomes[-1].progress for number, outcomes in found.items()}
    starts = {number: one.weights for number, one in last.items() if one.weights is not None}
    facts = tuple(_told(number, outcome) for number, outcomes in found.items() for outcome in outcomes)
    return Staged(next(iter(last.values())).settings, starts, facts)


def _told(rotation: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "rotation": rotation,
        "stage": outcome.stage,
        "status": outcome.status,
        "gain": outcome.gain,
        "spread": outcome.spread,
        "seconds": round(outcome.seconds, 2),
        "reason": outcome.reason,
        "evidence": dict(outcome.evidence),
    }
