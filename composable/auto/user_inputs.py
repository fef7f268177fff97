"""What a user brings to a fit besides rows: a design that must fit them, stages, a trained network."""

from __future__ import annotations

import ast
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
from composable.design.metaparameters import check, names, nearest
from composable.design.part import Part
from composable.modality import Modality, candidates, modality_of, modality_of_columns
from composable.modality.facts import facts_of
from composable.search.guidance import Guidance
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
        guidance: What the user decides about the search.
    """

    design: ParsedDesign | None = None
    pretrained: PretrainedSource | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    guidance: Guidance = field(default_factory=Guidance)


_STAGES = {stage.__name__: stage for stage in STAGES}
_TRAINED = 5  # numbers kept per parameter: itself, its gradient, AdamW's two moments, the best so far
_NOT_SET_BY_USERS = ("progress", "deadline", "share", "task")


def read_stage_settings(texts: Sequence[str], stages: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The metaparameters of stages, by the stage, from texts such as `warmup.epochs=3`.

    Args:
        texts: STAGE.NAME=VALUE each; a value is a number, a tuple of numbers, or none.
        stages: Those that are gone through, as `--stage` names them.

    Raises:
        ConfigError: If a stage isn't gone through or has no such metaparameter, one is set twice, or its
            value is none that it takes.
    """
    named, found = {one.partition("=")[0] for one in stages}, {name: {} for name in _STAGES}
    for text in texts:
        path, equals, value = (part.strip() for part in text.partition("="))
        stage, _, name = path.partition(".")
        if not equals or stage not in named:
            raise ConfigError(
                "A setting of a stage is STAGE.NAME=VALUE, for a stage that the networks go through.",
                received=text[:200],
                remedy=f"the stages are {', '.join(sorted(named)) or 'none: name one by --stage'}",
            )
        if name not in (known := _metaparameters(stage)):
            raise ConfigError(
                f"The stage {stage} has no such metaparameter.",
                received=text[:200],
                remedy=f"it has {', '.join(known)}{nearest(name[:100], known)}",
            )
        if name in found[stage]:
            raise ConfigError("A setting of a stage may be set once.", received=f"{path} twice")
        found[stage][name] = _value(value)
        check(_STAGES[stage], {name: found[stage][name]})
    return found


def _metaparameters(stage: str) -> list[str]:
    """Those that a user sets: what is trained, where, and how long a stage may take follow from the fit."""
    return [name for name in names(_STAGES[stage]) if name not in _NOT_SET_BY_USERS]


def _value(text: str) -> Any:
    if text.lower() == "none":
        return None
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text  # which the check of the metaparameter then refuses, and shows
    return tuple(found) if isinstance(found, list) else found


def stage_parts(stages: Sequence[str], settings: Sequence[str], modality: Modality) -> tuple[Part, ...]:
    """The parts that `--stage` names mean for rows of a modality.

    Args:
        stages: In their order; `pretrain=NAME` names the pretext that is learned without labels.
        settings: Of their metaparameters, as `read_stage_settings` takes them.
        modality: Its pretexts have the names; the first one is meant without a name.

    Raises:
        ConfigError: If a pretext isn't one of the modality's, or a setting is refused.
    """
    metaparameters = read_stage_settings(settings, stages)
    return tuple(_part(written, modality, metaparameters) for written in stages)


def _part(written: str, modality: Modality, metaparameters: Mapping[str, Mapping[str, Any]]) -> Part:
    name, _, pretext = written.partition("=")
    part = Part(_STAGES[name], **metaparameters[name])
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
    check_size(model.count_params(), design.name)
    modality_of(facts.inputs, facts.problem).check_design(model, design.name, facts)
    try:
        checked_config(json.dumps(keras.saving.serialize_keras_object(model)).encode(), design.name)
    except ArtifactError as refused:
        raise ConfigError(
            "A design is made of stock Keras layers that a bundle may hold.",
            received=refused.received,
            remedy="compose it of layers and operations listed in composable/design/keras_configuration.py",
        ) from refused


def check_size(parameters: int, name: str) -> None:
    """Refuse a network whose training needs more memory than this machine has.

    Args:
        parameters: Of the network.
        name: For the error.

    Raises:
        ConfigError: If it does.
    """
    memory = memory_gb()
    needed = _TRAINED * 4 * parameters / 1e9
    if memory is not None and needed > memory:
        raise ConfigError(
            "A design is trained in this machine's memory.",
            received=f"{name}: {parameters:,} parameters, about {needed:,.0f} GB to train; "
            f"the machine has {memory} GB",
            remedy="make it smaller; `composable design show` counts it",
        )
