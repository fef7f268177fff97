"""A recipe of stages, and how it runs: one after another, each outcome saved, what doesn't pay dropped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from composable.core.budget import Deadline
from composable.core.errors import ArtifactError, ConfigError
from composable.core.packages import version
from composable.design.config import from_config, parse, to_config
from composable.design.metaparameters import called
from composable.design.part import Part
from composable.engine.settings import Settings
from composable.training.generation import StageResult, commit, committed
from composable.training.identity import Identity, State, layers_of
from composable.training.own_folder import remove
from composable.training.stages.draw import draw
from composable.training.stages.finetune import finetune
from composable.training.stages.fit import fit
from composable.training.stages.pretrain.pretrain import pretrain
from composable.training.stages.stage import Job, Outcome, Progress, Weights
from composable.training.stages.tune import tune
from composable.training.stages.warmup import warmup

FORMAT = "composable.recipe/2"
STAGES = (draw, warmup, tune, pretrain, fit, finetune)
"""The stages that this project comes with."""


@dataclass(frozen=True)
class Recipe:
    """Stages one after another; each begins with the output of the one before it.

    Attributes:
        stages: Parts, or functions, which are taken as parts.

    Raises:
        ConfigError: If there is no stage, or one isn't a part.
    """

    stages: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not self.stages or not all(callable(stage) for stage in self.stages):
            raise ConfigError(
                "A recipe consists of at least one stage, each a part.",
                received=f"{self.stages!r}"[:200],
                remedy="Recipe((Part(draw, draws=5), Part(fit)))",
            )
        parts = tuple(stage if isinstance(stage, Part) else Part(stage) for stage in self.stages)
        object.__setattr__(self, "stages", parts)

    def to_json(self) -> str:
        """Canonical JSON: equal recipes give equal text.

        Raises:
            ConfigError: If a stage isn't registered.
        """
        config: dict[str, Any] = {"format": FORMAT, "stages": to_config(self.stages, "stages")}
        return json.dumps(config, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Rebuild what `to_json` wrote, from anywhere: it names components, and runs no code.

        Raises:
            ArtifactError: If it is malformed, of another format, or names a component that isn't there.
            ConfigError: If a stage doesn't take its arguments.
        """
        config = parse(text)
        if (
            not isinstance(config, dict)
            or config.keys() != {"format", "stages"}
            or config["format"] != FORMAT
        ):
            raise ArtifactError(
                f"A recipe's JSON has the format {FORMAT!r} and a list of stages.",
                received=f"{config!r}"[:200],
                remedy="write it with this version's `to_json`",
            )
        return cls(from_config(config["stages"], "stages"))


AUTHORS = Recipe(tuple(Part(stage) for stage in STAGES[:-1]))
"""The seed's order: draw, warmup, tune, pretext, train. What is foreign to the data skips itself."""


def save_outcome(folder: Path, outcome: Outcome, job: Job, identity: Identity) -> None:
    """Make an outcome visible as `folder`, only once it is complete.

    Raises:
        ConfigError: If the stage changed settings that can't be written.
        ArtifactError, DiskFullError, OSError: As `composable.training.generation.commit`.
    """
    weights = outcome.progress.weights
    arrays = {} if weights is None else {str(number): value for number, value in enumerate(weights)}
    facts = {
        "drawn": weights is not None,
        "settings": _changed(outcome.progress.settings, job.settings),
        **{name: getattr(outcome, name) for name in _PLAIN},
        "evidence": dict(outcome.evidence),
    }
    commit(folder, StageResult(State(arrays, facts), facts), identity)


def saved_outcome(folder: Path, job: Job, identity: Identity, warn: Callable[[str], None]) -> Outcome | None:
    """What `save_outcome` made visible; None if there is nothing, or, with a notice, if it is damaged.

    Raises:
        ArtifactError: If it is the outcome of another training.
    """
    found = committed(folder, identity, notify=warn)
    if found is None:
        return None
    arrays, facts = found.state.arrays, found.state.facts
    weights = tuple(arrays[str(number)] for number in range(len(arrays))) if facts["drawn"] else None
    changed = {name: from_config(value, name) for name, value in facts["settings"].items()}
    progress = Progress(weights, replace(job.settings, **changed))
    return Outcome(progress=progress, evidence=facts["evidence"], **{name: facts[name] for name in _PLAIN})


def identity_of(job: Job) -> Identity:
    """Of a training: its network, what its numbers depend on, its rows and settings."""
    model = job.build()
    digest = hashlib.sha256(repr((job.name, job.seed, job.settings)).encode())
    weights = () if job.rows.weights is None else (job.rows.weights,)
    for array in (job.train, job.held_out, *job.rows.inputs.values(), *job.rows.targets, *weights):
        digest.update(np.ascontiguousarray(array).data)
    backend = keras.backend.backend()
    versions = {"keras": keras.__version__, "backend": f"{backend} {version(backend)}"}
    # Keras numbers layers anew each time a network is built: their names carry no information.
    named = ((f"weight {number}", weight) for number, weight in enumerate(model.weights))
    return Identity(layers_of(named), versions, digest.hexdigest())


def planned(identity: Identity, plan: str) -> Identity:
    """The same for a stage of a training, whose outcome follows from `plan`."""
    return replace(identity, settings=hashlib.sha256(f"{identity.settings} {plan}".encode()).hexdigest())


_PLAIN = ("stage", "status", "reason", "gain", "spread", "seconds")


def _changed(settings: Settings, base: Settings) -> Mapping[str, Any]:
    """What a stage changed: numbers and schedules, as JSON."""
    found = {}
    for name in (one.name for one in fields(Settings)):
        value = getattr(settings, name)
        if value == getattr(base, name):
            continue
        try:
            found[name] = to_config(value, name)
        except ConfigError as wrong:
            raise ConfigError(
                "A stage changes settings that are numbers or schedules of registered components.",
                received=wrong.received,
            ) from wrong
    return found


Notify = Callable[[Outcome], None]
Warn = Callable[[str], None]


def run_stages(  # noqa: PLR0913 (its arguments are its contract)
    job: Job,
    recipe: Recipe,
    *,
    deadline: Deadline,
    folder: Path | None = None,
    begin: Weights | None = None,
    skip: Collection[str] = frozenset(),
    notify: Notify = lambda _outcome: None,
    warn: Warn = lambda _text: None,
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
        notify: Is called with each outcome, as soon as it is known; also with those of an earlier call.
        warn: Is called with a sentence about each damaged file.

    Returns:
        One outcome per stage. The last one's progress is the result.

    Raises:
        ConfigError: If `skip` names no stage of the recipe.
        ArtifactError: If the folder holds the outcomes of another training.
    """
    _check_skipped(recipe, skip)
    course = _Saved(job, recipe, folder, frozenset(skip), warn) if folder else None
    outcomes = course.earlier() if course else []
    for outcome in outcomes:
        notify(outcome)
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
        notify(outcome)
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

    def __init__(self, job: Job, recipe: Recipe, folder: Path, skip: frozenset[str], warn: Warn) -> None:
        self._job, self._recipe, self._folder = job, recipe, folder
        self._skip, self._warn = skip, warn
        self._identity = identity_of(job)

    def earlier(self) -> list[Outcome]:
        """Those of an earlier call, up to the first that is missing; less what had no time, at the end."""
        found = []
        for number in range(len(self._recipe.stages)):
            outcome_folder, identity = self._identified_folder(number)
            outcome = saved_outcome(outcome_folder, self._job, identity, self._warn)
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
