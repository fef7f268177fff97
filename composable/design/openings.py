"""Find and close what is left open in parts, however nested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from composable.core.errors import ConfigError
from composable.design.choice import Between, Choice, Choose, Open, path_of
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
    """What lies inside a value, by name: metaparameters, items, fields."""
    match value:
        case Part(metaparameters=given):
            return list(given.items())
        case tuple():
            return [(str(number), item) for number, item in enumerate(value)]
        case Mapping():
            return list(value.items())
    if is_dataclass(value) and not isinstance(value, type | Open):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    return []


def rebuilt(value: Any, inside: dict[str, Any]) -> Any:
    """`value` with other children, as `children` names them."""
    match value:
        case Part(component=function):
            return Part(function, **inside)
        case tuple():
            return tuple(inside.values())
        case Mapping():
            return inside
    return type(value)(**inside)


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
        _collect(child, _joined(path, name), found)


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
    inside = {name: _close(child, choose, _joined(path, name), shared) for name, child in children(value)}
    return rebuilt(value, inside) if inside else value


def _chosen(opening: Open, chosen: Any, path: str) -> Any:
    stays_open = isinstance(chosen, Choice | Between) and chosen == opening
    if not (stays_open or opening.admits(chosen)):
        raise ConfigError("What is open is closed with what it offers.", received=f"{path}: {chosen!r}, of {opening!r}"[:300])
    return chosen


def _position(choice: Choice, chosen: Any) -> int:
    """By value and type: 1, 1.0 and True are equal."""
    same = (o == chosen and type(o) is type(chosen) for o in choice.options)
    return next(number for number, found in enumerate(same) if found)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
