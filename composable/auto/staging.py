"""Stages that a candidate goes through before its fit, on each fold's own rows, never its test rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.data.split import Fold
from composable.design.part import Component, Part
from composable.engine.settings import Settings
from composable.modality import Modality
from composable.training.folds import Workbench
from composable.training.stages.fold_job import fold_job
from composable.training.stages.pretrain.pretrain import pretrain
from composable.training.stages.recipe import STAGES, Recipe
from composable.training.stages.run import run_stages
from composable.training.stages.stage import Outcome, Weights

_STAGES = {stage.__name__: stage for stage in STAGES}
OF_SETTINGS = ("tune",)  # what they find on one fold holds for all


@dataclass(frozen=True, eq=False)
class Staged:
    """What the stages before the fit came to.

    Attributes:
        settings: To fit with.
        starts: Weights to begin with, by fold; none where they are drawn.
        facts: Of each stage, for `trial.json`.
    """

    settings: Settings
    starts: Mapping[int, Weights]
    facts: tuple[dict[str, Any], ...]


def go_through(  # noqa: PLR0913 (what it is told is its contract)
    bench: Workbench,
    folds: Mapping[int, Fold],
    names: Sequence[str],
    *,
    pretexts: Mapping[str, Component],
    seed: int,
    deadline: Deadline,
    folder: Path,
    notice: Callable[[str], None],
) -> Staged:
    """Let a candidate go through these stages.

    Stages that change settings alone are gone through on the first fold, the others on each, with the
    settings that came of the first; its network begins with what came of its own.

    Args:
        bench: The candidate and the rows.
        folds: Which rows are which, by number.
        names: Of the stages, in their order; `pretrain=NAME` says what is learned without labels.
        pretexts: What that may be, by name; the first one is meant without a name.
        seed: For everything random.
        deadline: Of all of them.
        folder: Where the outcomes are kept.
        notice: Told what the user should know.
    """
    of_weights = [name for name in names if name not in OF_SETTINGS]
    left = len(names) + (len(folds) - 1) * len(of_weights)
    settings, found = bench.candidate.settings, {}
    for number, fold in folds.items():
        stages = of_weights if found else names
        if not stages:
            break
        job = fold_job(bench.trained_by(settings), fold, seed=seed)
        outcomes = run_stages(
            replace(job, name=f"{job.name} {number}"),
            _recipe(stages, pretexts),
            deadline=Deadline(deadline.remaining * len(stages) / left, deadline.clock),
            folder=folder / f"stages-{number}",
            begin=bench.candidate.begin,
            notice=notice,
        )
        if not found:
            settings = outcomes[-1].progress.settings
        found[number] = outcomes
        left -= len(stages)
    last = {number: outcomes[-1].progress for number, outcomes in found.items()}
    starts = {number: one.weights for number, one in last.items() if one.weights is not None}
    facts = tuple(_told(number, outcome) for number, outcomes in found.items() for outcome in outcomes)
    return Staged(settings, starts, facts)


def _recipe(names: Sequence[str], pretexts: Mapping[str, Component]) -> Recipe:
    """The stages share the time that is theirs alike."""
    stages = []
    for index, written in enumerate(names):
        name, _, pretext = written.partition("=")
        part = Part(_STAGES[name], share=1.0 / (len(names) - index))
        if name == pretrain.__name__ and pretexts:
            part = part.replace(task=pretexts[pretext or next(iter(pretexts))])
        stages.append(part)
    return Recipe(tuple(stages))


def check_stages(names: Sequence[str], modality: Modality) -> None:
    """Refuse a stage that learns what such rows don't have.

    Raises:
        ConfigError: If a pretext isn't one of the modality's.
    """
    for written in names:
        pretext = written.partition("=")[2]
        if pretext and pretext not in modality.pretexts:
            known = ", ".join(f"--stage pretrain={name}" for name in modality.pretexts)
            raise ConfigError(
                f"A pretext is one of those for {modality.name} data.",
                received=f"--stage {written}",
                remedy=f"take one of {known}" if known else "leave the stage out",
            )


def _told(fold: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "fold": fold,
        "stage": outcome.stage,
        "status": outcome.status,
        "gain": outcome.gain,
        "spread": outcome.spread,
        "seconds": round(outcome.seconds, 2),
        "reason": outcome.reason,
        "evidence": dict(outcome.evidence),
    }
