"""From a trial to a bundle: its networks become one graph that answers raw rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from composable.amalgamation.average import EnsembleMember, average, mirrored, start_from_zeros
from composable.auto.prepare import Prepared
from composable.auto.record import now, versions
from composable.data.row_sketch import RowSketch, sketch_of
from composable.deploy.bundle import save_bundle
from composable.deploy.card import BundleCard, Member
from composable.design import Input
from composable.design.taps import tap
from composable.engine.predict import predict
from composable.problem.postprocessing import changed_fields
from composable.problem.scores import constant_losses, row_losses
from composable.search.ensemble import is_as_scored
from composable.search.scorer import Scorer
from composable.search.trial import Trial
from composable.training.storage import load_weights

_CHECKED, _CHECKED_VALUES = 2000, 50_000_000  # rows whose answers are checked, and their input values in all


class NotAsScoredError(Exception):
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


def deploy(trial: Trial, prepared: Prepared, scorer: Scorer, folder: Path) -> None:
    """Write the trial's bundle; the one that was there stays until the new one is complete.

    Raises:
        NotAsScoredError: If the model predicts held-out rows worse than the score promises.
    """
    model = deployable(trial, prepared.material.shapes)
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
