"""Begin from a network that is trained already: its trunk under new tasks (seed, chapter 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composable.auto.prepare import Prepared
from composable.auto.pretrained_source import ENCODING, PretrainedSource
from composable.core.errors import ConfigError
from composable.data.encoding import known_encoding
from composable.design import Architecture
from composable.design.building import layers_by_part
from composable.design.taps import tap
from composable.engine.settings import Settings
from composable.modality import modality_of
from composable.modality.facts import DataFacts
from composable.training.candidate import Candidate

_RATE = 5e-4  # a quarter of that from scratch: what is there shall not be lost
_SCORES_RATE = 2e-3
_SCHEDULED = 0.6  # of the time that is left


def transferred(
    origin: PretrainedSource,
    facts: DataFacts,
    prepared: Prepared,
    *,
    freeze: bool,
    unfreeze: Sequence[str] = (),
) -> Candidate:
    """The pretrained source's architecture with the tasks at hand, and its weights up to the tap.

    Args:
        origin: The pretrained source.
        facts: Contains the tasks.
        prepared: The rows to learn from.
        freeze: Whether only what follows the tap is trained.
        unfreeze: Parts (`learner.2`) or beginnings of the names of layers that are trained all the same.

    Raises:
        ConfigError: If the trunk doesn't take these inputs, or has no such part.
    """
    shapes = prepared.material.shapes
    columns = ", ".join(prepared.encoding.columns)
    refusal = ConfigError(
        "A fit begins from a network that takes such inputs.",
        received=f"{origin.path} takes {_taken(origin)}; these rows have {columns}",
        remedy="bring the same columns, or leave --from out",
    )
    if not _alike(origin, prepared):
        raise refusal
    architecture = origin.architecture.with_tasks(*facts.tasks)
    network = tap(architecture.build(shapes), "logits")
    trunk = tap(network, ENCODING)
    learned = origin.trunk.get_weights()[: len(trunk.weights)]
    if [weight.shape for weight in trunk.weights] != [value.shape for value in learned]:
        raise refusal  # tables with other categories, images too small for the network
    trunk.set_weights(learned)
    return Candidate(
        f"from_{origin.name}",
        architecture,
        _settings(facts, freeze=freeze and not unfreeze),
        _SCHEDULED,
        tuple(network.get_weights()),
        frozen=_frozen(architecture, prepared, unfreeze) if freeze else (),
    )


def _alike(origin: PretrainedSource, prepared: Prepared) -> bool:
    if origin.encoding is None:
        return {type(block) for block in prepared.encoding.blocks} == {type(origin.images)}
    return known_encoding(prepared.encoding, origin.encoding) is not None


def _taken(origin: PretrainedSource) -> str:
    return "images alone" if origin.encoding is None else ", ".join(origin.encoding.columns)


def _frozen(architecture: Architecture, prepared: Prepared, unfreeze: Sequence[str]) -> tuple[int, ...]:
    """The layers up to the tap but those that are to learn, as numbers of the network's layers."""
    names, parts = layers_by_part(architecture, prepared.material.shapes, name="logits")
    trunk = range(names.index(ENCODING))
    thawed: set[int] = set()
    for group in unfreeze:
        found = parts.get(group) or [number for number in trunk if names[number].startswith(group)]
        if not found:
            raise ConfigError(
                "--unfreeze names parts or layers of the network that a fit begins from.",
                received=f"{group}; there are {', '.join(part for part in parts if '[' not in part)}"
                f" and layers such as {', '.join(names[max(0, len(trunk) - 6) : len(trunk)])}",
                remedy="name one of them, or how the names of several layers begin",
            )
        thawed.update(found)
    return tuple(number for number in trunk if number not in thawed)


def _settings(facts: DataFacts, *, freeze: bool) -> Settings:
    usual = modality_of(facts.inputs, facts.problem).settings(facts)
    return replace(usual, learning_rate=_SCORES_RATE if freeze else _RATE)
