"""The stages that a candidate goes through before its fit, on each fold's own rows, never its test rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.data.split import Fold
from composable.design.part import Part
from composable.engine.rows import Rows
from composable.engine.settings import Settings
from composable.problem.kinds import kind_of
from composable.training.beginning import beginner
from composable.training.candidate import Material
from composable.training.folds import FoldTrainer
from composable.training.stages.run import Recipe, name_of, run_stages
from composable.training.stages.stage import Job, Outcome, Weights
from composable.training.stages.tune import tune

_SETTINGS_ALONE = (tune.__name__,)  # what they find on one fold holds for all


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


def go_through(
    trainer: FoldTrainer,
    folds: Mapping[int, Fold],
    stages: Sequence[Part],
    *,
    seed: int,
    deadline: Deadline,
    folder: Path,
    notify: Callable[[str], None],
) -> Staged:
    """Let a candidate go through these stages, which share the time alike.

    Stages that change settings alone are gone through on the very first fold, the others on each, with the
    settings that came of the first; its network begins with what came of its own.

    Args:
        trainer: The candidate and the rows.
        folds: Which rows are which, by number.
        stages: In their order.
        seed: For everything random.
        deadline: Of all of them.
        folder: Where the outcomes are kept.
        notify: Is called with what the user should know.
    """
    of_weights = [stage for stage in stages if name_of(stage) not in _SETTINGS_ALONE]
    on_fold = {number: list(stages) if number == 0 else of_weights for number in folds}
    left = sum(map(len, on_fold.values()))
    settings, found = trainer.candidate.settings, {}
    for number, fold in folds.items():
        if not on_fold[number]:
            continue
        job = fold_job(trainer.trained_by(settings), fold, seed=seed)
        count = len(on_fold[number])
        parts = tuple(part.replace(share=1.0 / (count - index)) for index, part in enumerate(on_fold[number]))
        outcomes = run_stages(
            replace(job, name=f"{job.name} {number}"),
            Recipe(parts),
            deadline=Deadline(deadline.remaining * count / left, deadline.clock),
            folder=folder / f"stages-{number}",
            begin=trainer.candidate.begin,
            warn=notify,
        )
        if not found:
            settings = outcomes[-1].progress.settings
        found[number] = outcomes
        left -= count
    last = {number: outcomes[-1].progress for number, outcomes in found.items()}
    starts = {number: one.weights for number, one in last.items() if one.weights is not None}
    facts = tuple(_facts(number, outcome) for number, outcomes in found.items() for outcome in outcomes)
    return Staged(settings, starts, facts)


def _facts(fold: int, outcome: Outcome) -> dict[str, Any]:
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


def fold_job(trainer: FoldTrainer, fold: Fold, *, seed: int) -> Job:
    """What `FoldTrainer.train` trains on one fold, for stages.

    Args:
        trainer: The candidate and the encoded rows.
        fold: Its training and validation rows; its test rows are never looked at.
        seed: For everything random.
    """
    material, candidate = trainer.material, trainer.candidate
    begin_with, rows = beginner(trainer.build, material.categories), material.at(fold.train)

    return Job(
        name=candidate.name,
        build=trainer.build,
        begin=lambda model, seed: begin_with(model, rows, seed, None),
        goals=tuple(kind_of(head).goal(material.problem.metric) for head in material.problem.heads),
        rows=_rows(material, fold),
        train=fold.train,
        held_out=fold.held_out,
        settings=candidate.settings,
        seed=derive(seed, candidate.name),
    )


def _rows(material: Material, fold: Fold) -> Rows:
    """With targets scaled as the training rows have them."""
    targets = tuple(
        kind_of(head).training_targets(kind_of(head).fit_postprocessing(y[fold.train]), y)
        for head, y in zip(material.problem.heads, material.targets, strict=True)
    )
    return Rows(material.inputs, targets, material.weights)
