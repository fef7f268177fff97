"""A sampler over architectures: the surrogate of `composable.search.evolution` for families of candidates.

Like every sampler it is a function of a family, what was tried of it, and a seed. What is open of the
training is a decision like those of the architecture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from composable.design.architecture import Architecture
from composable.design.choice import Choice, Open
from composable.search.evolution import FIRST, Measures, position
from composable.search.space import TRAINING, OpenCandidate
from composable.search.surrogate import Points, chosen
from composable.search.zero_cost import log_ranks

_AT_FIRST = 8  # drawn, of which the most promising one is taken while little is known
_DRAWN, _BORN = 32, 16  # what the surrogate chooses among: draws, and children of the best
_PARENTS = 4
_STEPS = 40  # decisions made anew, for an architecture that is too large

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Untrained:
    """What is known of architectures before they are trained.

    Attributes:
        measure: Sizes, which the surrogate learns from as from decisions.
        excess: How many times as large it is as it may be: above 1 it isn't wanted.
        promise: Zero-cost scores, by whose ranks the first ones are chosen; None to take any.
    """

    measure: Callable[[Architecture], Measures] = lambda _architecture: ()
    excess: Callable[[Architecture], float] = lambda _architecture: 0.0
    promise: Callable[[Architecture], Measures] | None = None


UNKNOWN = Untrained()


def by_surrogate(
    family: OpenCandidate, history: Sequence[tuple[Values, float]], seed: int, untrained: Untrained
) -> dict[str, Any]:
    """The values to be tried next.

    Args:
        family: With what is open.
        history: Values by path and the loss, NaN where there is none yet.
        seed: Of all that is random.
        untrained: What is known of architectures.
    """
    openings, random = family.openings, np.random.default_rng(seed)
    known = [(values, loss) for values, loss in history if not math.isnan(loss) and _fits(openings, values)]
    if len(known) < FIRST:
        some = _wanted(family, _draws(family, random), untrained, _AT_FIRST, random)
        return _most_promising(family, some, untrained)
    parents = [values for values, _ in sorted(known, key=lambda pair: pair[1])[:_PARENTS]]
    pool = [
        *_wanted(family, _children(family, parents, random), untrained, _BORN, random),
        *_wanted(family, _draws(family, random), untrained, _DRAWN, random),
    ]
    scores = np.array([-loss for _, loss in known])
    ours, theirs = (_points(family, some, untrained) for some in ([values for values, _ in known], pool))
    return dict(pool[chosen(ours, scores, theirs)])


def _fits(openings: Mapping[str, Open], values: Values) -> bool:
    """Whether what was tried lies in the space as it is now."""
    return all(openings[path].admits(value) for path, value in values.items() if path in openings)


def _points(family: OpenCandidate, some: Sequence[Values], untrained: Untrained) -> Points:
    openings = family.openings
    measures = [untrained.measure(_architecture(family, values)) for values in some]
    decided = np.stack([position(openings, values) for values in some])
    return Points(decided, np.array(measures, float).reshape(len(some), -1))


def _architecture(family: OpenCandidate, values: Values) -> Architecture:
    return family.closed(lambda path, opening: _closest(opening, values.get(path)), family.name).architecture


def _closest(opening: Open, value: Any) -> Any:
    if opening.admits(value):
        return value
    return opening.options[0] if isinstance(opening, Choice) else opening.low


def _wanted(
    family: OpenCandidate,
    found: Iterator[Values],
    untrained: Untrained,
    most: int,
    random: np.random.Generator,
) -> list[Values]:
    """Those that aren't too large among the next ones, each made smaller first; the least if all are."""
    lowered = [_lowered(family, values, untrained, random) for values in islice(found, most)]
    return [values for values, beyond in lowered if beyond <= 1] or [min(lowered, key=lambda one: one[1])[0]]


def _lowered(
    family: OpenCandidate, values: Values, untrained: Untrained, random: np.random.Generator
) -> tuple[Values, float]:
    """Values after decisions made anew, one after another, each that makes the architecture smaller kept."""
    beyond = untrained.excess(_architecture(family, values))
    children = _children(family, [values], random)
    for _ in range(_STEPS):
        if beyond <= 1:
            break
        other = next(children)
        if (less := untrained.excess(_architecture(family, other))) < beyond:
            values, beyond, children = other, less, _children(family, [other], random)
    return values, beyond


def _most_promising(family: OpenCandidate, some: Sequence[Values], untrained: Untrained) -> dict[str, Any]:
    if untrained.promise is None:
        return dict(some[0])
    promises = [untrained.promise(_architecture(family, values)) for values in some]
    return dict(some[int(np.argmax(log_ranks(promises)))])


def _draws(family: OpenCandidate, random: np.random.Generator) -> Iterator[Values]:
    """Every other one trains as usual, so that architectures can be compared."""
    usual = {f"{TRAINING}.{name}": getattr(family.usual.settings, name, None) for name in family.training}
    while True:
        for settings in (usual, {}):
            yield _closed(family, settings, random)


def _children(
    family: OpenCandidate, parents: Sequence[Values], random: np.random.Generator
) -> Iterator[Values]:
    """One decision of a parent made anew, or, every fourth, each as one of two parents made it."""
    number = 0
    while True:
        parent, other = (parents[int(random.integers(len(parents)))] for _ in range(2))
        if number % 4 == 3 and other is not parent:
            mask = {path: random.random() < 0.5 for path in parent}
            mixed = {path: other.get(path, value) if mask[path] else value for path, value in parent.items()}
        else:
            paths = sorted(path for path in parent if path in family.openings)
            changed = paths[int(random.integers(len(paths)))]
            mixed = {path: value for path, value in parent.items() if path != changed}
            others = getattr(family.openings[changed], "others", lambda _: ())(parent[changed])
            if others:
                mixed[changed] = others[int(random.integers(len(others)))]
        yield _closed(family, mixed, random)
        number += 1


def _closed(family: OpenCandidate, values: Values, random: np.random.Generator) -> dict[str, Any]:
    """Values for everything that is open: as given, or drawn."""
    made: dict[str, Any] = {}

    def choose(path: str, opening: Open) -> Any:
        given = path in values and opening.admits(values[path])
        made[path] = values[path] if given else opening.draw(random)
        return made[path]

    family.closed(choose, family.name)
    return made
