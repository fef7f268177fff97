"""From a trial to a bundle: its networks become one graph that answers raw rows."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from composable.amalgamation import EnsembleMember, average, mirrored, start_from_zeros
from composable.auto.prepare import Prepared
from composable.auto.record import now, versions
from composable.core.errors import ArtifactError, ConfigError
from composable.data.profile import RowSketch, sketch_of
from composable.deploy.bundle import Bundle, file_bytes, load_bundle, save_bundle
from composable.deploy.card import BundleCard, Member
from composable.design import Architecture, Input
from composable.design.taps import tap
from composable.engine.predict import predict
from composable.engine.settings import Settings
from composable.problem.calibrate import Calibration
from composable.problem.postprocessing import changed_fields
from composable.problem.problem import Head
from composable.problem.scores import constant_losses, row_losses
from composable.search.ensemble import is_as_scored
from composable.search.leaderboard import TRIAL_FILE, read_trial
from composable.search.limits import Limits
from composable.search.scorer import Scorer
from composable.search.trial import Trial
from composable.training.candidate import REFIT, Candidate
from composable.training.storage import load_weights, stored_network

_CHECKED, _CHECKED_VALUES = 2000, 50_000_000  # rows whose answers are checked, and their input values in all
_REMEDY = "name a trial that `composable leaderboard` lists"


class NotDeployableError(Exception):
    """A trial is not deployed, although it was trained."""


class OverLimitError(NotDeployableError):
    """A model is larger or slower than the user allows."""


class NotAsScoredError(NotDeployableError):
    """A model predicts held-out rows worse than its score promises, so that it is not deployed."""


def deployable(trial: Trial, shapes: Mapping[str, Input]) -> keras.Model:
    """One model that averages the trial's networks, or those of its members.

    Args:
        trial: A network or an ensemble; its weights lie on the disk.
        shapes: What its networks take in.
    """
    networks = []
    for member, weight in trial.shares:
        for trained in member.deployed_networks:
            network = tap(member.network.architecture.build(shapes), "logits")
            network.set_weights(load_weights(member.folder, trained.fold))
            start_from_zeros(network)
            network = mirrored(network) if trained.mirrored else network
            networks.append(
                EnsembleMember(
                    network, member.postprocessing(trained), weight / len(member.deployed_networks)
                )
            )
    return average(networks, trial.final_steps)


def networks_of(trial: Trial) -> int:
    """How many networks the deployed model will hold."""
    return sum(len(member.deployed_networks) for member, _ in trial.shares)


def deploy(trial: Trial, prepared: Prepared, scorer: Scorer, folder: Path, limits: Limits) -> None:
    """Write the trial's bundle; the one that was there stays until the new one is complete.

    Raises:
        OverLimitError: If the model is larger or slower than the limits allow.
        NotAsScoredError: If the model predicts held-out rows worse than the score promises.
    """
    model = deployable(trial, prepared.material.shapes)
    cost = {**trial.cost, "bytes": file_bytes(model) if math.isfinite(limits.bytes) else 0}
    if over := limits.exceeded(cost):
        raise OverLimitError(f"The model of {trial.name} isn't deployed: it takes {over}.")
    _check_answers(model, trial, prepared)
    save_bundle(folder / "bundle", model, _card(trial, prepared, scorer))
    trial.cost["bytes"] = (folder / "bundle" / "model.keras").stat().st_size


def _check_answers(model: keras.Model, trial: Trial, prepared: Prepared) -> None:
    """Compare the model's own answers to held-out rows with the predictions that the trial was scored by."""
    material, predictions = prepared.material, trial.predictions.out_of_fold
    width = sum(int(np.prod(values.shape[1:])) for values in material.inputs.values())
    scored_rows = np.concatenate(
        [one.held_out for one in prepared.split.folds[: prepared.split.scored_folds]]
    )
    rows = np.unique(scored_rows)[: max(1, min(_CHECKED, _CHECKED_VALUES // width))]
    observed = [y[rows] for y in material.targets]
    scales = constant_losses(material.problem, material.targets)
    scored = row_losses(material.problem, observed, [p[rows] for p in predictions], scales)
    answers = predict(model, material.at(rows))
    deployed = row_losses(material.problem, observed, answers, scales)
    if not is_as_scored(deployed, scored):
        raise NotAsScoredError(
            f"The model of {trial.name} isn't deployed: on held-out rows its loss is {deployed.mean():.3g}, "
            f"that of the predictions that it was chosen by {scored.mean():.3g}."
        )


def _card(trial: Trial, prepared: Prepared, scorer: Scorer) -> BundleCard:
    understood = prepared.understood
    return BundleCard(
        name=trial.name,
        created=now(),
        schema=understood.schema,
        encoding=prepared.encoding,
        problem=scorer.tuned(trial.predictions),
        metrics={"validation": scorer.validation(trial.predictions)},
        versions=versions(),
        target_deviations={
            head.name: float(np.nanstd(y))
            for head, y in zip(understood.problem.heads, prepared.material.targets, strict=True)
            if not head.labels
        },
        final=tuple(map(changed_fields, trial.final_steps)),
        rows=_sketch(prepared),
        members=tuple(_member(member, weight) for member, weight in trial.shares),
    )


def _sketch(prepared: Prepared) -> RowSketch | None:
    """Of the rows that networks learned from, by what stands in the table itself; None for files alone."""
    table, schema = prepared.understood.table, prepared.understood.schema
    columns = [name for name in schema.feature_columns if name not in table.sources]
    return sketch_of(table.frame.iloc[prepared.split.known], columns) if columns else None


def _member(trial: Trial, weight: float) -> Member:
    return Member(
        name=trial.name,
        architecture=trial.network.architecture.to_config(),
        weight=weight,
        postprocessing=tuple(
            tuple(map(changed_fields, trial.postprocessing(trained))) for trained in trial.deployed_networks
        ),
        mirrored=tuple(trained.mirrored for trained in trial.deployed_networks),
    )


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
    if not trial.has_weights:
        raise ConfigError(
            "Only a trial whose weights were kept answers.",
            received=f"trial {trial.number}, {trial.name}: they were removed to free disk; its score stays",
            remedy="name another --trial, or leave it out: the deployed model answers",
        )


def _calibrations(facts: dict[str, Any], heads: Sequence[Head]) -> tuple[Calibration, ...]:
    return tuple(Calibration(**facts[head.name]) for head in heads) if facts else ()
