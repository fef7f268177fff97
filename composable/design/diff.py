"""What differs between two architectures, by path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from composable.design.architecture import Architecture
from composable.design.choice import Between, Choice
from composable.design.openings import children
from composable.design.part import Part

NONE = "-"  # where only the other one has something
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """One path where two architectures aren't the same.

    Attributes:
        path: `learner.1.filters`.
        first: What the first one has there, as text; `NONE` for nothing.
        second: What the second one has there.
    """

    path: str
    first: str
    second: str


def differences(first: Architecture, second: Architecture) -> list[Difference]:
    """Where they differ, in the order in which data flows; nothing for equal ones.

    What is inside a part is compared where both have the same component; else the parts differ as a whole.
    """
    return list(_between(first.to_parts(), second.to_parts(), ""))


def _between(first: Any, second: Any, path: str) -> Iterator[Difference]:
    if type(first) is type(second) and first == second:
        return
    ours, theirs = dict(children(first)), dict(children(second))
    if not _comparable(first, second) or not (ours or theirs):
        yield Difference(path, _text(first), _text(second))
        return
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        at = f"{path}.{name}" if path else name
        if name not in ours or name not in theirs:
            yield Difference(at, _text(ours.get(name, _ABSENT)), _text(theirs.get(name, _ABSENT)))
        else:
            yield from _between(ours[name], theirs[name], at)


def _comparable(first: Any, second: Any) -> bool:
    if isinstance(first, Part) and isinstance(second, Part):
        return first.component is second.component
    return type(first) is type(second) and not _plain(first) and not _plain(second)


def _plain(value: Any) -> bool:
    """A tuple of numbers is one value; a tuple of parts is compared part by part."""
    return isinstance(value, tuple) and not any(children(item) for item in value)


def _text(value: Any) -> str:
    match value:
        case Choice(options):
            return " | ".join(map(repr, options))
        case Between(low, high):
            return f"{low} to {high}"
    return NONE if value is _ABSENT else repr(value)
