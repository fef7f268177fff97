"""The stages that a user asks for by name, as parts."""

from __future__ import annotations

from collections.abc import Sequence

from composable.core.errors import ConfigError
from composable.design.part import Part
from composable.modality import Modality
from composable.training.stages.pretrain.pretrain import pretrain
from composable.training.stages.recipe import STAGES

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
