"""A stage's outcome as a folder, and back: so that a training goes on after its last complete stage."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from composable.core.errors import ConfigError
from composable.core.versions import version
from composable.design.config import from_config, to_config
from composable.engine.settings import Settings
from composable.training.commit import StageResult, commit, committed
from composable.training.identity import Identity, layers_of
from composable.training.stages.stage import Job, Outcome, Progress
from composable.training.state import State


def save_outcome(folder: Path, outcome: Outcome, job: Job, identity: Identity) -> None:
    """Make an outcome visible as `folder`, only once it is complete.

    Raises:
        ConfigError: If the stage changed settings that can't be written.
        ArtifactError, DiskFullError, OSError: As `composable.training.commit.commit`.
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


def saved_outcome(
    folder: Path, job: Job, identity: Identity, notice: Callable[[str], None]
) -> Outcome | None:
    """What `save_outcome` made visible; None if there is nothing, or, with a notice, if it is damaged.

    Raises:
        ArtifactError: If it is the outcome of another training.
    """
    found = committed(folder, identity, notice=notice)
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
