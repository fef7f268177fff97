"""What lies inside parts, however nested, by path: what is left open, and where two architectures differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from composable.core.errors import ConfigError
from composable.design.choice import Between, Choice, Choose, Open, exact, path_of
from composable.design.part import Part

if TYPE_CHECKING:
    from composable.design.architecture import Architecture

NONE = "-"  # where only the other one has something
_ABSENT = object()


def openings(value: Any) -> dict[str, Open]:
    """Everything left open, by path, outer before inner; what lies inside an option too (`block[0].width`).

    Raises:
        ConfigError: If two openings share a name but not what they may be.
    """
    found: dict[str, Open] = {}
    _collect(value, "", found)
    return found


def close(value: Any, choose: Choose) -> Any:
    """Close every opening with `choose(path, opening)`; options that aren't chosen are never visited.

    An opening that `choose` gives back as it is stays open.

    Raises:
        ConfigError: If `choose` gives what isn't on offer.
    """
    openings(value)  # names must agree
    return _close(value, choose, "", {})


def reopened(value: Any, change: Callable[[str, Open], Any], path: str = "") -> Any:
    """Every opening as `change(path, opening)` makes it: another opening or a value; also inside options."""
    if isinstance(value, Open):
        at = path_of(path, value)
        changed = change(at, value)
        if not isinstance(changed, Choice):
            return changed
        options = tuple(reopened(each, change, f"{at}[{n}]") for n, each in enumerate(changed.options))
        return Choice(options, changed.name)
    inner = {name: reopened(child, change, joined(path, name)) for name, child in children(value)}
    return rebuilt(value, inner) if inner else value


def children(value: Any) -> list[tuple[str, Any]]:
    """What lies inside a value, by name: metaparameters, items; not the options of what is open."""
    match value:
        case Part(metaparameters=metaparameters):
            return list(metaparameters.items())
        case tuple():
            return [(str(number), item) for number, item in enumerate(value)]
        case Mapping():
            return list(value.items())
    return []


def rebuilt(value: Any, new_children: Mapping[str, Any]) -> Any:
    """`value` with other children, as `children` names them."""
    match value:
        case Part(component=function):
            return Part(function, **new_children)
        case tuple():
            return tuple(new_children.values())
    return new_children


def _collect(value: Any, path: str, found: dict[str, Open]) -> None:
    if isinstance(value, Open):
        at = path_of(path, value)
        if found.setdefault(at, value) != value:
            raise ConfigError(
                "Openings of one name have the same options.",
                received=f"{at}: {found[at]!r} and {value!r}"[:300],
                remedy="give one of them another name",
            )
        if isinstance(value, Choice):
            for number, option in enumerate(value.options):
                _collect(option, f"{at}[{number}]", found)
        return
    for name, child in children(value):
        _collect(child, joined(path, name), found)


def _close(value: Any, choose: Choose, path: str, shared: dict[str, Any]) -> Any:
    if isinstance(value, Open):
        at = path_of(path, value)
        if at not in shared:
            shared[at] = _chosen(value, choose(at, value), at)
        chosen = shared[at]
        if isinstance(chosen, Open) and chosen == value:
            return value
        if isinstance(value, Choice):
            return _close(chosen, choose, f"{at}[{_position(value, chosen)}]", shared)
        return chosen
    closed = {name: _close(child, choose, joined(path, name), shared) for name, child in children(value)}
    return rebuilt(value, closed) if closed else value


def _chosen(opening: Open, chosen: Any, path: str) -> Any:
    stays_open = isinstance(chosen, Open) and chosen == opening
    if not (stays_open or opening.admits(chosen)):
        raise ConfigError(
            "What is open is closed with what it offers.",
            received=f"{path}: {chosen!r}, of {opening!r}"[:300],
        )
    return chosen


def _position(choice: Choice, chosen: Any) -> int:
    return next(number for number, option in enumerate(choice.options) if exact(option) == exact(chosen))


def joined(path: str, name: str) -> str:
    """The path of what is called `name` inside what stands at `path`."""
    return f"{path}.{name}" if path else name


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
        yield Difference(path, _as_text(first), _as_text(second))
        return
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        at = f"{path}.{name}" if path else name
        if name not in ours or name not in theirs:
            yield Difference(at, _as_text(ours.get(name, _ABSENT)), _as_text(theirs.get(name, _ABSENT)))
        else:
            yield from _between(ours[name], theirs[name], at)


def _comparable(first: Any, second: Any) -> bool:
    if isinstance(first, Part) and isinstance(second, Part):
        return first.component is second.component
    return type(first) is type(second) and not _plain(first) and not _plain(second)


def _plain(value: Any) -> bool:
    """A tuple of numbers is one value; a tuple of parts is compared part by part."""
    return isinstance(value, tuple) and not any(children(item) for item in value)


def _as_text(value: Any) -> str:
    match value:
        case Choice(options):
            return " | ".join(map(repr, options))
        case Between(low, high):
            return f"{low} to {high}"
    return NONE if value is _ABSENT else repr(value)
