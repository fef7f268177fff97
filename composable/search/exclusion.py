"""What a person leaves out of a search: families of candidates, and components wherever they stand."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from composable import zoo
from composable.core.errors import ConfigError
from composable.design.choice import Choice, Open
from composable.design.metaparameters import nearest
from composable.design.openings import reopened
from composable.design.part import COMPONENTS
from composable.search.guidance import Guidance
from composable.search.space import OpenCandidate, components_of, family_named, is_variant
from composable.training.candidate import Candidate
from composable.zoo.catalog import FAMILIES, MEMBERS

_ZOO = "zoo."


def excluded(
    portfolio: Sequence[Candidate], families: Sequence[OpenCandidate], guidance: Guidance
) -> tuple[list[Candidate], list[OpenCandidate]]:
    """The candidates and families that are left.

    A family goes by its name, with all its variants; a component by its name (`resnet.bottleneck`) or its
    module (`resnet`, `zoo.vgg`). Of a choice the options without it stay.

    Args:
        portfolio: Candidates.
        families: Of them.
        guidance: Says what is left out, and what is pinned or to be tried.

    Raises:
        ConfigError: If there is no such name, nothing is left, or what is left out is pinned or to be tried.
    """
    _check_names(portfolio, families, guidance.excluded)
    _check_contradictions(guidance)
    named = {family.name for family in families}
    kept = [
        one
        for one in portfolio
        if not any(_excludes(name, one.name, components_of(one)) for name in guidance.excluded)
        and (family_named(families, one.name) is not None or not named)
    ]
    open_ones = [found for family in families if (found := _without(family, guidance.excluded)) is not None]
    if not kept:
        raise ConfigError(
            "Something must be left to try.",
            received=" and ".join(f"--exclude {name}" for name in guidance.excluded) or guidance.origin,
            remedy=f"there are: {', '.join(dict.fromkeys(one.name for one in portfolio))}; keep one of them",
        )
    return kept, open_ones


def _excludes(name: str, candidate: str, components: set[str]) -> bool:
    short = name.removeprefix(_ZOO)
    return is_variant(candidate, name) or any(
        short in (component, component.partition(".")[0]) for component in components
    )


def _without(family: OpenCandidate, names: Sequence[str]) -> OpenCandidate | None:
    """The family without options that hold an excluded component; None where nothing of it is left."""
    if any(is_variant(family.name, name) for name in names):
        return None

    def kept(_path: str, opening: Open) -> Any:
        if not isinstance(opening, Choice):
            return opening
        options = [
            each
            for each in opening.options
            if not any(_excludes(name, "", components_of(each)) for name in names)
        ]
        if len(options) == len(opening.options):
            return opening
        return Choice(tuple(options), opening.name) if len(options) > 1 else (options or opening.options)[0]

    architecture = family.usual.architecture
    architecture = architecture.with_parts(reopened(architecture.to_parts(), kept))
    left = replace(family, usual=replace(family.usual, architecture=architecture))
    gone = any(_excludes(name, "", components_of(left.usual)) for name in names)
    return None if gone else left


def _check_names(
    portfolio: Sequence[Candidate], families: Sequence[OpenCandidate], names: Sequence[str]
) -> None:
    zoo_modules = {module.name for module in pkgutil.iter_modules(zoo.__path__)}
    components = set(COMPONENTS).union(*(components_of(one) for one in portfolio))
    known = {
        *(one.name for one in (*portfolio, *families)),
        *components,
        *(name.partition(".")[0] for name in components),
        *zoo_modules,
        *FAMILIES,
        *MEMBERS,
    }
    for name in names:
        if name.removeprefix(_ZOO) not in known:
            raise ConfigError(
                f"There is nothing called {name[:100]!r} to leave out.",
                received=f"--exclude {name}"[:200],
                remedy=f"name a family ({', '.join(one.name for one in families)}), a component or a module "
                f"such as zoo.vgg{nearest(name, known)}",
            )


def _check_contradictions(guidance: Guidance) -> None:
    for name in guidance.excluded:
        short = name.removeprefix(_ZOO)
        for origin, family, _values in guidance.tries:
            if is_variant(family, short):
                raise _contradiction(name, origin)
        for limit in guidance.limits:
            if limit.path.startswith(f"{short}."):
                raise _contradiction(name, limit.origin)
            if limit.kind == "set" and limit.given == short:
                raise _contradiction(name, limit.origin)


def _contradiction(name: str, origin: str) -> ConfigError:
    return ConfigError(
        "What is left out can't be pinned or tried.",
        received=f"--exclude {name} and {origin}",
        remedy="leave one of them out",
    )
