"""Run a recipe: stage after stage, each outcome saved, what doesn't pay dropped, all within one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.design.metaparameters import called
from composable.design.part import Part
from composable.training.identity import Identity
from composable.training.own_folder import remove
from composable.training.stages.recipe import Recipe
from composable.training.stages.stage import Job, Outcome, Progress, Weights
from composable.training.stages.stage_output import identity_of, planned, save_outcome, saved_outcome

Tell = Callable[[Outcome], None]
Notice = Callable[[str], None]


def run_stages(  # noqa: PLR0913 (its arguments are its contract)
    job: Job,
    recipe: Recipe,
    *,
    deadline: Deadline,
    folder: Path | None = None,
    begin: Weights | None = None,
    skip: Collection[str] = frozenset(),
    tell: Tell = lambda _outcome: None,
    notice: Notice = lambda _text: None,
) -> tuple[Outcome, ...]:
    """Train in stages.

    A stage whose gain doesn't exceed its noise is dropped: the next one begins with what it received. The
    same holds for a stage that fails.

    Args:
        job: What is trained.
        recipe: Its stages.
        deadline: Of all stages together.
        folder: Where the outcomes are saved, one folder each; a second call goes on after the last of them.
            Stages at the end that had no time are tried again. None saves nothing.
        begin: The weights that the first stage receives; None where it draws its own.
        skip: Names of stages to leave out.
        tell: Is called with each outcome, as soon as it is known; also with those of an earlier call.
        notice: Is called with a sentence about each damaged file.

    Returns:
        One outcome per stage. The last one's progress is the result.

    Raises:
        ConfigError: If `skip` names no stage of the recipe.
        ArtifactError: If the folder holds the outcomes of another training.
    """
    _check_skipped(recipe, skip)
    course = _Saved(job, recipe, folder, frozenset(skip), notice) if folder else None
    outcomes = course.earlier() if course else []
    for outcome in outcomes:
        tell(outcome)
    progress = outcomes[-1].progress if outcomes else Progress(begin, job.settings)
    for number in range(len(outcomes), len(recipe.stages)):
        part = recipe.stages[number]
        outcome = (
            Outcome(name_of(part), progress, "skipped", _WANTED)
            if name_of(part) in skip
            else _run(part, job, progress, deadline)
        )
        if course:
            course.save(number, outcome)
        outcomes.append(outcome)
        tell(outcome)
        progress = outcome.progress
    return tuple(outcomes)


def name_of(stage: Part) -> str:
    """What a stage is called: its function's name."""
    return called(stage.component)


_WANTED = "left out as asked"


def _run(part: Part, job: Job, received: Progress, deadline: Deadline) -> Outcome:
    began = time.monotonic()
    try:
        outcome = part.component(job, received, deadline=deadline, **part.metaparameters)
    except Exception as failure:  # noqa: BLE001 (whatever it is, the other stages go on)
        reason = f"{type(failure).__name__}: {failure}"
        outcome = Outcome(name_of(part), received, "failed", reason)
    outcome = replace(outcome, seconds=time.monotonic() - began)
    if outcome.status != "done" or outcome.pays:
        return outcome
    reason = f"a gain of {outcome.gain:.3g} doesn't exceed its noise of {outcome.spread:.3g}"
    return replace(outcome, status="dropped", reason=reason, progress=received)


def _check_skipped(recipe: Recipe, skip: Collection[str]) -> None:
    names = [name_of(stage) for stage in recipe.stages]
    if unknown := sorted(set(skip) - set(names)):
        raise ConfigError(
            "Only stages of the recipe can be left out.",
            received=", ".join(unknown),
            remedy=f"it has: {', '.join(names)}",
        )


class _Saved:
    """The outcomes on the disk."""

    def __init__(self, job: Job, recipe: Recipe, folder: Path, skip: frozenset[str], notice: Notice) -> None:
        self._job, self._recipe, self._folder = job, recipe, folder
        self._skip, self._notice = skip, notice
        self._identity = identity_of(job)

    def earlier(self) -> list[Outcome]:
        """Those of an earlier call, up to the first that is missing; less what had no time, at the end."""
        found = []
        for number in range(len(self._recipe.stages)):
            outcome_folder, identity = self._identified_folder(number)
            outcome = saved_outcome(outcome_folder, self._job, identity, self._notice)
            if outcome is None:
                break
            found.append(outcome)
        while found and found[-1].status == "skipped" and found[-1].stage not in self._skip:
            found.pop()
            remove(self._identified_folder(len(found))[0])
        return found

    def save(self, number: int, outcome: Outcome) -> None:
        """Make it visible."""
        outcome_folder, identity = self._identified_folder(number)
        save_outcome(outcome_folder, outcome, self._job, identity)

    def _identified_folder(self, number: int) -> tuple[Path, Identity]:
        """Where a stage's outcome lies, and whose it is: its stages up to this one decide that."""
        until = self._recipe.stages[: number + 1]
        left_out = sorted(self._skip & {name_of(stage) for stage in until})
        plan = f"{Recipe(until).to_json()} without {left_out}"
        return self._folder / f"{number + 1}-{name_of(until[-1])}", planned(self._identity, plan)
