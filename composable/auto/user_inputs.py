"""What a user brings to a fit besides rows: a design that must fit them, stages, a trained network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from composable.auto.prepare import Prepared
from composable.auto.pretrained_source import PretrainedSource
from composable.core.errors import ArtifactError, ConfigError
from composable.core.machine import memory_gb
from composable.data.schema import Schema
from composable.design.building import outline
from composable.design.keras_configuration import checked_config
from composable.design.part import Part
from composable.modality import Modality, candidates, modality_of, modality_of_columns
from composable.modality.facts import facts_of
from composable.training.stages.pretrain.pretrain import pretrain
from composable.training.stages.run import STAGES
from composable.zoo.catalog import FAMILIES
from composable.zoo.catalog.parse import ParsedDesign, parse_design


@dataclass(frozen=True, eq=False)
class UserInputs:
    """What a user brings to a fit beside rows and options.

    Attributes:
        design: Networks to try instead of the usual ones.
        pretrained: A trained network, to be tried first.
        training: Settings of the training, instead of those of the candidates.
    """

    design: ParsedDesign | None = None
    pretrained: PretrainedSource | None = None
    training: Mapping[str, Any] = field(default_factory=dict)


_STAGES = {stage.__name__: stage for stage in STAGES}


def stage_parts(names: Sequence[str], modality: Modality) -> tuple[Part, ...]:
    """The parts that `--stage` names mean for rows of a modality.

    Args:
        names: In their order; `pretrain=NAME` names the pretext that is learned without labels.
        modality: Its pretexts have the names; the first one is meant without a name.

    Raises:
        ConfigError: If a pretext isn't one of the modality's.
    """
    return tuple(_part(written, modality) for written in names)


def _part(written: str, modality: Modality) -> Part:
    name, _, pretext = written.partition("=")
    part = Part(_STAGES[name])
    if name != pretrain.__name__ or not modality.pretexts:
        return part
    if pretext and pretext not in modality.pretexts:
        known = ", ".join(f"--stage pretrain={one}" for one in modality.pretexts)
        raise ConfigError(
            f"A pretext is one of those for {modality.name} data.",
            received=f"--stage {written}",
            remedy=f"take one of {known}",
        )
    return part.replace(task=modality.pretexts[pretext or next(iter(modality.pretexts))])


_TRAINED = 5  # numbers kept per parameter: itself, its gradient, AdamW's two moments, the best so far


def read_design(text: str | None, schema: Schema) -> ParsedDesign | None:
    """The design that `--design` means, None where there is none.

    Raises:
        ConfigError: If there is no such design, it isn't JSON, or it takes other data than these.
    """
    if text is None:
        return None
    design = parse_design(text)
    design.architecture.to_json()  # a run keeps its designs as JSON, so every component must have a name
    family, modality = FAMILIES.get(design.family or ""), modality_of_columns(schema)
    if family is not None and family.modality not in modality.designs:
        raise ConfigError(
            f"These columns are learned by a design for the modality {' or '.join(modality.designs)}.",
            received=f"{design.name} takes {family.modality} data of shape {family.inputs}",
            remedy=f"`composable design list --modality {modality.designs[0]}` shows those there are",
        )
    return design


def check_design(design: ParsedDesign, prepared: Prepared) -> None:
    """Build the design for these rows, without training.

    Raises:
        ConfigError: If it doesn't fit the inputs or this machine's memory, holds a layer that no bundle may
            hold, or doesn't predict every pixel where the target is a mask.
    """
    material = prepared.material
    facts = facts_of(material, prepared.split, prepared.encoding)
    first = next(candidates(facts, seed=0, design=design))
    model, _ = outline(first.architecture, material.shapes)
    _check_size(model.count_params(), design)
    modality_of(facts.inputs, facts.problem).check_design(model, design.name, facts)
    try:
        checked_config(json.dumps(keras.saving.serialize_keras_object(model)).encode(), design.name)
    except ArtifactError as refused:
        raise ConfigError(
            "A design is made of stock Keras layers that a bundle may hold.",
            received=refused.received,
            remedy="compose it of layers and operations listed in composable/design/keras_configuration.py",
        ) from refused


def _check_size(parameters: int, design: ParsedDesign) -> None:
    memory = memory_gb()
    needed = _TRAINED * 4 * parameters / 1e9
    if memory is not None and needed > memory:
        raise ConfigError(
            "A design is trained in this machine's memory.",
            received=f"{design.name}: {parameters:,} parameters, about {needed:,.0f} GB to train; "
            f"the machine has {memory} GB",
            remedy="make it smaller; `composable design show` counts it",
        )
