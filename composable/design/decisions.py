"""Which options of a space an architecture took: the way back from what was drawn to how it was drawn."""

from __future__ import annotations

from typing import Any

from composable.core.errors import ConfigError
from composable.design.architecture import Architecture
from composable.design.choice import Between, Choice, Open, exact, path_of
from composable.design.openings import children, joined
from composable.design.part import Part

Found = dict[str, Any]
Todo = tuple[tuple[str, Any, Any], "Todo"] | None
"""Still to be compared: a path, what the space has there and what the architecture has; then the rest."""


def decisions(space: Architecture, architecture: Architecture) -> Found:
    """What was decided at every opening that was met, so that `space.decided(...)` gives the architecture.

    Where several options could have led to it, the first of them.

    Raises:
        ConfigError: If the architecture can't be drawn from the space, naming where it differs.
    """
    tasks = [(task.name, task.reads) for task in space.tasks]
    differs = "tasks" if tasks != [(task.name, task.reads) for task in architecture.tasks] else ""
    start: Todo = (("", space.to_parts(), architecture.to_parts()), None)
    trials: list[tuple[Todo, Found]] = [] if differs else [(start, {})]
    while trials:
        todo, taken = trials.pop()
        if todo is None:
            return taken
        (path, offered, value), rest = todo
        ways = _ways(path, offered, value, taken)
        differs = differs if ways else f"{path}: {value!r}"
        # The first way is tried first: it is put on top.
        trials += [(_before(rest, pairs), taken | made if made else taken) for pairs, made in reversed(ways)]
    raise ConfigError(
        "The architecture is one that can be drawn from the space.",
        received=f"another {differs}"[:300],
        remedy="take the space that it was drawn from",
    )


def _before(rest: Todo, pairs: list[tuple[str, Any, Any]]) -> Todo:
    for pair in reversed(pairs):
        rest = (pair, rest)
    return rest


def _ways(
    path: str, offered: Any, value: Any, taken: Found
) -> list[tuple[list[tuple[str, Any, Any]], Found]]:
    """How `value` can have come from what the space offers: what remains to be compared, what was decided."""
    match offered:
        case Between() | Choice():
            return _openly(path_of(path, offered), offered, value, taken)
        case Part(component=component) if not isinstance(value, Part) or value.component != component:
            return []
    ours, theirs = dict(children(offered)), dict(children(value))
    if type(offered) is not type(value) or ours.keys() != theirs.keys():
        return []
    if not ours:
        return [([], {})] if exact(offered) == exact(value) else []
    return [([(joined(path, name), ours[name], theirs[name]) for name in ours], {})]


def _openly(path: str, opening: Open, value: Any, taken: Found) -> list[Any]:
    if isinstance(opening, Between):
        fits = opening.admits(value) and exact(taken.get(path, value)) == exact(value)
        return [([], {path: value})] if fits else []
    return [
        ([(f"{path}[{number}]", option, value)], {path: option})
        for number, option in enumerate(opening.options)
        if path not in taken or exact(taken[path]) == exact(option)
    ]
