"""Another candidate of a finished run than the deployed one, made answerable from its files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from composable.auto.deploying import deployable
from composable.core.errors import ArtifactError, ConfigError
from composable.deploy.bundle import Bundle, load_bundle, save_bundle
from composable.design import Architecture, Input
from composable.engine.settings import Settings
from composable.problem.calibrate import Calibration
from composable.problem.problem import Head
from composable.search.trial import Trial
from composable.search.trial_file import TRIAL_FILE, read_trial
from composable.training.candidate import REFIT, Candidate
from composable.training.storage import stored_network

_REMEDY = "name a trial that `composable leaderboard` lists"


def trial_bundle(run: Path, number: int, deployed: Bundle) -> Bundle:
    """A bundle of a trial's networks, encoded as those of the run's deployed model.

    Args:
        run: The run folder.
        number: Of the trial.
        deployed: The run's bundle.

    Raises:
        ConfigError: If it is no network and no ensemble, or didn't come to its end.
        ArtifactError: If the run has no such trial, or a file of it is damaged.
    """
    trial = _trial(run, number, deployed.card.problem.heads)
    shapes = {one.name: Input(one.shape[1:], one.dtype) for one in deployed.model.inputs}
    model = deployable(trial, shapes)
    scores = read_trial(trial.folder / TRIAL_FILE, remedy=_REMEDY)
    metrics = {part: scores.get(part, {}) for part in ("validation", "test")}
    card = replace(deployed.card, name=trial.name, metrics=metrics, members=(), final=())
    with tempfile.TemporaryDirectory() as folder:
        save_bundle(Path(folder, "bundle"), model, card)
        return replace(load_bundle(Path(folder, "bundle")), origin=trial.folder)


def _trial(run: Path, number: int, heads: Sequence[Head]) -> Trial:
    """The trial as the files of its folder describe it."""
    folder = run / "trials" / str(number)
    facts = read_trial(folder / TRIAL_FILE, remedy=_REMEDY)
    try:
        trial = Trial(facts["number"], folder, facts["name"], facts["role"], status=facts["status"])
        if trial.role not in ("network", "ensemble") or trial.status != "done":
            raise ConfigError(
                "Only a network or an ensemble that was trained to its end answers.",
                received=f"trial {number}, {trial.name}: {trial.role}, {trial.status}",
                remedy="name another --trial; `composable leaderboard` lists them",
            )
        if trial.role == "ensemble":
            members = [(_trial(run, one["trial"], heads), one["weight"]) for one in facts["members"]]
            trial.members = tuple(members)
        else:
            _add_networks(trial, facts, heads)
        trial.final_calibrations = _calibrations(facts.get("final_calibration", {}), heads)
    except (KeyError, TypeError, ValueError) as odd:
        if isinstance(odd, (ConfigError, ArtifactError)):
            raise
        raise ArtifactError(
            "trial.json holds what a candidate is.", received=f"{folder}: {odd!r}", remedy=_REMEDY
        ) from odd
    return trial


def _add_networks(trial: Trial, facts: dict[str, Any], heads: Sequence[Head]) -> None:
    architecture = Architecture.from_json(json.dumps(facts["architecture"]))
    trial.candidate = Candidate(trial.name, architecture, Settings())
    trial.calibrations = _calibrations(facts["calibration"], heads)
    trial.trained = [stored_network(trial.folder, one["fold"]) for one in facts["histories"]]
    if "chosen" in facts:
        trial.refit = stored_network(trial.folder, REFIT)


def _calibrations(facts: dict[str, Any], heads: Sequence[Head]) -> tuple[Calibration, ...]:
    return tuple(Calibration(**facts[head.name]) for head in heads) if facts else ()
