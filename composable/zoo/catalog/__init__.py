"""The zoo's catalog: every published architecture by name. Nothing here imports Keras or builds a model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from composable.core.errors import ConfigError
from composable.design.inputs import Inputs
from composable.design.metaparameters import nearest
from composable.zoo.catalog.classic import CLASSIC, RESIDUAL
from composable.zoo.catalog.family import Family
from composable.zoo.catalog.modern import MODERN
from composable.zoo.catalog.structured import STRUCTURED
from composable.zoo.catalog.tables_and_sequences import SEQUENCES, TABULAR

if TYPE_CHECKING:
    from composable.design.architecture import Architecture

FAMILIES: dict[str, Family] = {
    family.name: family for family in (*CLASSIC, *RESIDUAL, *SEQUENCES, *STRUCTURED, *TABULAR, *MODERN)
}
MEMBERS: dict[str, Family] = {name: family for family in FAMILIES.values() for name in family.members}
"""Every name in the catalog, and the family it belongs to."""


def names(modality: str | None = None) -> list[str]:
    """The names of all members, or of those for one modality, in the catalog's order."""
    return [name for name, family in MEMBERS.items() if modality in (None, family.modality)]


def family_of(name: str) -> Family:
    """The family of a member, or the family of that name.

    Raises:
        ConfigError: If there is neither.
    """
    found = MEMBERS.get(name) or FAMILIES.get(name)
    if found is None:
        raise ConfigError(
            f"There is no design {name!r}.",
            received=name[:100],
            remedy=f"`composable design list` shows those there are{nearest(name, [*MEMBERS, *FAMILIES])}",
        )
    return found


def inputs_of(name: str) -> Inputs:
    """What a member takes unless it is built for something else."""
    family = family_of(name)
    return family.own_inputs.get(name, family.inputs)


def architecture(name: str, **metaparameters: Any) -> Architecture:
    """A member of the catalog, or a family with its defaults; `metaparameters` change what it is made with.

    Raises:
        ConfigError: If there is no such name, or it doesn't take what is given.
    """
    family = family_of(name)
    given = {**family.members.get(name, {}), **metaparameters}
    return made(family, given)


def made(family: Family, metaparameters: dict[str, Any]) -> Architecture:
    """The architecture that a family's function makes.

    Raises:
        ConfigError: If it doesn't take what is given.
    """
    return _called(family, family.name, metaparameters)


def search_space(name: str, **metaparameters: Any) -> Architecture:
    """A family with what is worth searching left open: its module's `<family>_space`.

    Raises:
        ConfigError: If there is no such family, or it doesn't take what is given.
    """
    family = family_of(name)
    return _called(family, f"{family.name}_space", metaparameters)


def _called(family: Family, function: str, metaparameters: dict[str, Any]) -> Architecture:
    module = importlib.import_module(f"composable.zoo.{family.module or family.name}")
    maker = getattr(module, function)
    return maker(**metaparameters)
