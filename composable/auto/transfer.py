"""Begin from a network that is trained already: its trunk under new tasks (seed, chapter 6)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import keras

from composable.core.errors import ConfigError
from composable.deploy.bundle import Bundle, load_bundle
from composable.deploy.card import Member
from composable.design.taps import tap
from composable.engine.optimizer import Group, Optimizer
from composable.engine.settings import Settings
from composable.search.table import Table
from composable.training import recipes
from composable.training.rotating import Candidate, Material
from composable.zoo.catalogue.written import written_design

_RATE = 5e-4  # a quarter of that from scratch: what is there shall not be lost
_SCHEDULED = 0.6  # of the time that is left
_TRUNK = r"^(?!.*head_\d+_logits)"  # the paths of all variables but those of the tasks' scores


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a fit begins.

    Attributes:
        bundle: A person's own.
        member: The candidate in it that weighs most.
        network: One of its networks, trained.
    """

    bundle: Bundle
    member: Member
    network: keras.Model


def read_origin(path: str | None) -> Origin | None:
    """The run or bundle that `--from` names, None where there is none.

    Raises:
        ArtifactError: If there is no whole bundle.
        ConfigError: If it doesn't say what it is made of.
    """
    if path is None:
        return None
    bundle = load_bundle(Path(path))
    if not bundle.card.members:
        raise ConfigError(
            "A fit begins from a bundle that says what it is made of.",
            received=f"{path}: no members",
            remedy="fit again with this version; older ones didn't record it",
        )
    heaviest = max(bundle.card.members, key=lambda member: member.weight)
    before = bundle.card.members[: bundle.card.members.index(heaviest)]
    number = sum(len(member.finishes) for member in before)
    return Origin(bundle, heaviest, _innermost(bundle.model.get_layer(f"network_{number}")))


def transferred(origin: Origin, table: Table, material: Material, *, freeze: bool) -> Candidate:
    """The origin's architecture with the tasks at hand, and its weights up to the tap `encoding`.

    Args:
        origin: What is begun from.
        table: Says the tasks.
        material: The rows to learn from.
        freeze: Whether only what follows the tap is trained.

    Raises:
        ConfigError: If the trunk doesn't take these inputs.
    """
    written = written_design(json.dumps(origin.member.architecture)).architecture
    architecture = written.with_tasks(*table.tasks)
    taken = origin.bundle.card.encoding.shapes
    given = {name: one.shape for name, one in material.shapes.items()}
    refusal = ConfigError(
        "A fit begins from a network that takes such inputs.",
        received=f"{origin.bundle.origin} takes {taken}, these rows are {given}",
        remedy="bring the same columns, or leave --from out",
    )
    if taken != given:
        raise refusal
    network = tap(architecture.build(material.shapes), "logits")
    trunks = [keras.Model(one.input, one.get_layer("encoding").output) for one in (network, origin.network)]
    shapes = [[tuple(weight.shape) for weight in trunk.weights] for trunk in trunks]
    if shapes[0] != shapes[1]:  # tables with other categories
        raise refusal
    trunks[0].set_weights(trunks[1].get_weights())
    settings = _settings(table, freeze=freeze)
    begin = tuple(network.get_weights())
    return Candidate(f"from_{origin.member.name}", architecture, settings, _SCHEDULED, begin)


def _settings(table: Table, *, freeze: bool) -> Settings:
    if table.pixels is not None:
        found = replace(
            recipes.images(table.problem, rows=table.rows, augment=table.augment), learning_rate=_RATE
        )
    else:
        found = Settings(learning_rate=_RATE, batch_size=table.batch_size, patience=10)
    if not freeze:
        return found
    groups = (Group(_TRUNK, rate=0.0, decay=0.0), *cast("Optimizer", found.optimizer).groups)
    optimizer = replace(cast("Optimizer", found.optimizer), groups=groups)
    return replace(found, optimizer=optimizer, learning_rate=4 * _RATE)


def _innermost(model: keras.Model) -> keras.Model:
    """The network in its wrappers."""
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return _innermost(inner[0]) if inner else model
