"""Find and close what is left open in parts, however nested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from composable.core.errors import ConfigError
from composable.design.choice import Choice, Choose, Open, exact, path_of
from composable.design.part import Part


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
