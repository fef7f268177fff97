"""What a search tries, as a person decided: portfolio and families under pins, ranges and exclusions.

A pinned value stands wherever there is its path, and a candidate outside a range is moved into it. A range is
open in all its length: it replaces what was open before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from composable.core.errors import ConfigError
from composable.design.choice import Between, Choice, Open, exact
from composable.design.part import COMPONENTS, Part
from composable.search.exclusion import excluded
from composable.search.guidance import Guidance, Limit, path_in, refuse_pairs
from composable.search.space import (
    ABSENT,
    OpenCandidate,
    content_of,
    family_named,
    no_such_path,
    paths_of,
    value_at,
    with_values,
)
from composable.search.space_file import known_family, unnamed
from composable.training.candidate import Candidate

_SPREAD = 8.0  # times the low end, from which on a range above zero is searched on a log scale


@dataclass(frozen=True)
class Guided:
    """What is tried, as a person decided.

    Attributes:
        first: Configurations to try before all others.
        portfolio: The candidates that were prepared for these data.
        families: What later suggestions may be.
        limits: The decisions on paths.
        unlimited: The families without them.
    """

    first: tuple[Candidate, ...]
    portfolio: tuple[Candidate, ...]
    families: tuple[OpenCandidate, ...]
    limits: tuple[Limit, ...] = ()
    unlimited: tuple[OpenCandidate, ...] = ()

    def allows(self, candidate: Candidate) -> bool:
        """Whether the decisions leave a candidate of an earlier session as it is."""
        return family_named(self.families, candidate.name) is not None and self.held(candidate) == candidate

    def held(self, candidate: Candidate) -> Candidate:
        """A suggestion, the decisions held at paths too that only a closed candidate has.

        What lies inside an option (`learner.0.units` of a learner with several depths) has no such path while
        it is open.
        """
        return _moved(candidate, family_named(self.unlimited, candidate.name), self.limits)


def guided(portfolio: Sequence[Candidate], families: Sequence[OpenCandidate], guidance: Guidance) -> Guided:
    """Portfolio and families as a person decided.

    Args:
        portfolio: Candidates.
        families: Of all of them.
        guidance: The decisions.

    Raises:
        ConfigError: If something means nothing for these candidates, two decisions contradict each other, or
            nothing is left; names them.
    """
    usual = {name: one for one in reversed(portfolio) if (name := _family(one, families))}
    guidance, families = _by_file(guidance, families, usual)
    kept, open_ones = excluded(portfolio, families, guidance)
    for limit in guidance.limits:
        _check_known(limit, open_ones, usual)
    limited = tuple(_limited(family, guidance.limits) for family in open_ones)
    moved = [_moved(one, family_named(open_ones, one.name), guidance.limits) for one in kept]
    distinct = {content_of(one): one for one in reversed(moved)}  # two may have come to be the same
    first = tuple(_tried(one, open_ones, usual, guidance.limits) for one in guidance.tries)
    portfolio = tuple(reversed(distinct.values()))
    return Guided(first, portfolio, limited, guidance.limits, tuple(open_ones))


def _family(candidate: Candidate, families: Sequence[OpenCandidate]) -> str:
    found = family_named(families, candidate.name)
    return found.name if found else ""


def _by_file(
    guidance: Guidance, families: Sequence[OpenCandidate], usual: Mapping[str, Candidate]
) -> tuple[Guidance, Sequence[OpenCandidate]]:
    """What a space file changes, as limits; the families without those that it leaves out."""
    if guidance.families is None:
        return guidance, families
    origin, limits, kept = guidance.origin, [], []
    for name, openings in guidance.families.items():
        family = known_family(name, families, origin)
        known = family.openings
        for path in [one for one in known if one not in openings and "[" not in one]:
            value = value_at(usual[name], family.places.get(path, (path,))[0])
            family = family if value is ABSENT else family.reopened(path, value)
        for at, one in openings.items():
            if at not in known or exact(unnamed(one)) != exact(unnamed(known[at])):
                limits.append(Limit(f"{origin}, {name}.{at}", f"{name}.{at}", "file", one))
        kept.append(family)
    refuse_pairs([*guidance.limits, *limits])
    return replace(guidance, limits=(*guidance.limits, *limits)), kept


def _check_known(limit: Limit, families: Sequence[OpenCandidate], usual: Mapping[str, Candidate]) -> None:
    known: dict[str, None] = {}
    for family in families:
        path = path_in(limit.path, family.name)
        own = usual.get(family.name, family.usual)
        if path is not None and (_current(family, path) is not ABSENT or value_at(own, path) is not ABSENT):
            return
        known |= dict.fromkeys([*family.openings, *paths_of(own)])
    raise no_such_path(limit.path, known, limit.origin)


def _current(family: OpenCandidate, path: str) -> Any:
    """What stands at a path of a family, open or not."""
    opening = family.openings.get(path)
    return value_at(family.usual, path) if opening is None else opening


def _limited(family: OpenCandidate, limits: Sequence[Limit]) -> OpenCandidate:
    for limit in limits:
        path = path_in(limit.path, family.name)
        if path is not None and (current := _current(family, path)) is not ABSENT:
            value = _opening(limit, current)
            with _told(limit, family.name):
                for end in _extremes(value):  # refused as the component or the training refuses them
                    family.reopened(path, end)
                family = family.reopened(path, value)
    return family


def _moved(candidate: Candidate, family: OpenCandidate | None, limits: Sequence[Limit]) -> Candidate:
    """A closed candidate where the limits allow it, as near to where it was as they let it."""
    for limit in limits:
        path = path_in(limit.path, family.name if family else candidate.name)
        if path is None:
            continue
        places = family.places.get(path, (path,)) if family else (path,)
        for place in places:
            value = value_at(candidate, place)
            if value is not ABSENT:
                current = _current(family, path) if family else value
                opening = _opening(limit, value if current is ABSENT else current)
                with _told(limit, candidate.name):
                    candidate = with_values(candidate, {place: nearest_in(opening, value)})
    return candidate


@contextmanager
def _told(limit: Limit, name: str) -> Iterator[None]:
    """Say which decision a refusal is about."""
    try:
        yield
    except ConfigError as error:
        if limit.origin in error.received:
            raise
        raise ConfigError(
            f"{name} can't take {limit.origin}: {error.rule}",
            received=error.received,
            remedy=error.remedy or "choose another value, or name a family before the path",
        ) from error


def _tried(
    wanted: tuple[str, str, Mapping[str, Any]],
    families: Sequence[OpenCandidate],
    usual: Mapping[str, Candidate],
    limits: Sequence[Limit],
) -> Candidate:
    """A configuration as a candidate: where it says nothing, as the portfolio has it.

    Raises:
        ConfigError: If its family or a path isn't there, or a limit doesn't allow what it has.
    """
    origin, name, values = wanted
    family = known_family(name, families, origin)
    candidate = _moved(usual[name], family, limits)
    for written, value in values.items():
        path = path_in(written, name)
        places = () if path is None else family.places.get(path, (path,))
        for place in places:
            if value_at(candidate, place) is ABSENT:
                raise no_such_path(written, [*family.openings, *paths_of(candidate)], origin)
            with _told(Limit(f"{origin}, {written}={value!r}", written, "set", value), name):
                candidate = with_values(candidate, {place: value})
        for limit in limits:
            if path is not None and path_in(limit.path, name) == path:
                opening = _opening(limit, _current(family, path))
                if exact(nearest_in(opening, value)) != exact(value):
                    raise ConfigError(
                        "What is to be tried must be allowed.",
                        received=f"{origin}, {written}={value!r} and {limit.origin}",
                        remedy="change one of them",
                    )
    return candidate


def _opening(limit: Limit, current: Any) -> Any:
    """What a limit puts in the place of what stands there: a range, a choice or a value."""
    if limit.kind == "file":
        return limit.given
    if limit.kind == "set":
        return read_value(limit.given, current)
    low, high = limit.given
    numbers = current.options if isinstance(current, Choice) else (current,)
    if isinstance(current, Between):
        numbers = (current.low, current.high)
    if not all(type(one) in (int, float) for one in numbers):
        raise ConfigError(
            "A range bounds a number.",
            received=f"{limit.origin}, where there is {current!r}"[:300],
            remedy="pin it by --set",
        )
    if all(type(one) is int for one in numbers):
        if not (float(low).is_integer() and float(high).is_integer()):
            raise ConfigError(
                "A whole number lies between whole numbers.", received=limit.origin, remedy="round the ends"
            )
        low, high = int(low), int(high)
    else:
        low, high = float(low), float(high)
    return Between(low, high, log=low > 0 and high / low >= _SPREAD)


def read_value(text: str, current: Any) -> Any:
    """The value that a text means where `current` stands: a component where there is one, else a literal.

    A component has the name of one of the options, or its registered name (`resnet.bottleneck`).
    """
    options = current.options if isinstance(current, Choice) else (current,)
    for option in options:
        if isinstance(option, Part) and text in (option.name, option.name.partition(".")[2]):
            return option
    if text in COMPONENTS:
        return Part(COMPONENTS[text])
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        value = {"none": None, "true": True, "false": False}.get(text.lower(), text)
    if any(type(option) is float for option in options) or isinstance(current, Between):
        is_whole = isinstance(current, Between) and current.is_integer
        value = float(value) if type(value) is int and not is_whole else value
    return tuple(value) if isinstance(value, list) else value


def nearest_in(opening: Any, value: Any) -> Any:
    """What an opening allows that is nearest to a value; of what is no number, its first option."""
    if not isinstance(opening, Open):
        return opening
    if opening.admits(value):
        return value
    is_number = type(value) in (int, float)
    if isinstance(opening, Between):
        if not is_number:
            return opening.low
        found = min(max(value, opening.low), opening.high)
        return round(found) if opening.is_integer else float(found)
    numbers = [one for one in opening.options if type(one) in (int, float)]
    return min(numbers, key=lambda one: abs(one - value)) if is_number and numbers else opening.options[0]


def _extremes(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Between):
        return value.low, value.high
    return value.options if isinstance(value, Choice) else (value,)
