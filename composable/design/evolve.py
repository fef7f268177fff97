"""Draw, mutate, cross and graft architectures: plain functions on values, which stay as they are.

What is random depends on the seed and the path, not on the order in which openings are met: equal spaces give
equal architectures, however they were written or read.

Evolution of architectures as in Real et al. 2019, "Regularized Evolution for Image Classifier Architecture
Search", arXiv:1802.01548; crossing as in genetic algorithms. A space is an architecture with openings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.architecture import Architecture
from composable.design.choice import Between, Choice, Decisions, Open, exact, path_of
from composable.design.metaparameters import names, nearest
from composable.design.openings import children, joined, rebuilt
from composable.design.part import Part

Found = dict[str, Any]
Todo = tuple[tuple[str, Any, Any], "Todo"] | None
"""Still to be compared: a path, what the space has there and what the architecture has; then the rest."""


def draw(space: Architecture, *, seed: int) -> Architecture:
    """The space with every opening closed at random; the same seed gives the same architecture."""
    return space.fill(lambda path, opening: opening.draw(_random(seed, path)))


def mutate(space: Architecture, architecture: Architecture, *, seed: int, changes: int = 1) -> Architecture:
    """Some decisions made anew, each differing from before; what lies inside a new option is drawn.

    Args:
        space: Which the architecture is from.
        architecture: It stays as it is.
        seed: Of what changes, and to what.
        changes: How many decisions; fewer where there aren't as many to make.

    Raises:
        ConfigError: If the architecture isn't from the space, or no decision can differ.
    """
    taken, changed = decisions(space, architecture), set[str]()
    openings = space.openings()
    for number in range(changes):
        free = [path for path in taken if path not in changed and _has_other(openings[path], taken[path])]
        if not free:
            break
        path = sorted(free)[int(_random(seed, number).integers(len(free)))]
        changed.add(path)
        other = _other(openings[path], taken[path], _random(seed, path))
        architecture, taken = _closed(space, {**taken, path: other}, seed)
    if changes > 0 and not changed:
        raise ConfigError(
            "A mutation changes a decision.",
            received="a space in which every opening has a single option",
            remedy="leave something open: Choice((16, 32))",
        )
    return architecture


def cross(space: Architecture, mother: Architecture, father: Architecture, *, seed: int) -> Architecture:
    """Every decision as one of the two made it, at random.

    What lies inside an option that only one of them took is as that one has it, so the child is from the
    space too.

    Raises:
        ConfigError: If one of them isn't from the space.
    """
    parents = (decisions(space, mother), decisions(space, father))

    def inherited(path: str, _: Open) -> Any:
        made = [parent[path] for parent in parents if path in parent]
        return made[int(_random(seed, path).integers(len(made)))]

    return space.fill(inherited)


def graft(architecture: Architecture, path: str, part: Any) -> Architecture:
    """Another part, or several, where one stands: at `stem`, `learner.2`, `learner.1.block`, `tasks.0.pool`.

    Raises:
        ConfigError: If there is no such path, naming those there are, or what is there takes no such part.
    """
    parts = architecture.to_parts()
    known = {at: value for section, value in parts.items() for at, value in _inside(value, section)}
    if path not in known or path == "tasks":
        paths = [at for at, value in known.items() if isinstance(value, Part | tuple) and at != "tasks"]
        raise ConfigError(
            f"Nothing stands at {path[:100]!r}.",
            received=f"parts stand at: {', '.join(paths)}"[:600],
            remedy=f"name one of them, or a metaparameter of it{nearest(path, known)}",
        )
    return architecture.with_parts(_grafted(parts, path.split("."), part))


def _inside(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every path at and below one; also of the metaparameters that a part leaves to their defaults."""
    yield path, value
    below = dict(children(value))
    if isinstance(value, Part):
        below = dict.fromkeys(names(value.component)) | below
    for name, child in below.items():
        yield from _inside(child, f"{path}.{name}")


def _grafted(value: Any, steps: list[str], part: Any) -> Any:
    if not steps:
        return part
    below = dict(children(value))
    return rebuilt(value, {**below, steps[0]: _grafted(below.get(steps[0]), steps[1:], part)})


def _has_other(opening: Open, taken: Any) -> bool:
    return not isinstance(opening, Choice) or bool(opening.others(taken))


def _other(opening: Open, taken: Any, random: np.random.Generator) -> Any:
    if isinstance(opening, Choice):
        others = opening.others(taken)
        return others[int(random.integers(len(others)))]
    value = taken
    while value == taken:  # two numbers at least lie between
        value = opening.draw(random)
    return value


def _closed(space: Architecture, taken: Decisions, seed: int) -> tuple[Architecture, dict[str, Any]]:
    """The space closed as `taken` says, at random where it says nothing, and every decision that was made."""
    made: dict[str, Any] = {}

    def choose(path: str, opening: Open) -> Any:
        made[path] = taken[path] if path in taken else opening.draw(_random(seed, path))
        return made[path]

    return space.fill(choose), made


def _random(seed: int, key: str | int) -> np.random.Generator:
    return np.random.default_rng(derive(seed, "evolve", key))


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
