"""Which architecture of a space is trained next: pure functions of what earlier ones came to.

A state holds drafts (closed architectures, with what is known of them untrained) and the scores of those
that were trained. `ask` gives the draft that is expected to improve most on the best, by a Gaussian process
over the decisions and the measures; `renewed` adds mutants and crossings of the best to the drafts. `aged` is
regularized evolution, without a surrogate.

Surrogates over architectures, with mutants of the best as candidates: White, Neiswanger & Savani 2021,
"BANANAS: Bayesian Optimization with Neural Architectures for Neural Architecture Search", arXiv:1910.11858.
Regularized evolution: Real et al. 2019, arXiv:1802.01548, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, islice
from typing import Any

import numpy as np

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.architecture import Architecture
from composable.design.choice import Between, Choice, Open, exact
from composable.design.evolve import cross, decisions, draw, mutate
from composable.search.surrogate import Points, chosen
from composable.search.zero_cost import log_ranks

Measures = tuple[float, ...]
Measure = Callable[[Architecture], Measures | None]
"""What is known of an architecture untrained, of each number more promises more; None if it isn't wanted."""

FIRST = 3  # trained before there is a surrogate
_PROMISING = 0.1  # of the drafts, among which the first ones are
_PARENTS = 5  # the best, which have children
CHILDREN = 24  # at once
_CROSSED = 4  # every such child has two parents
_TRIES = 20  # draws for each draft that is new and wanted
_ALIVE, _SAMPLED = 16, 4  # architectures of an aging population, and those among which a parent is the best


@dataclass(frozen=True, eq=False)
class Draft:
    """An architecture that may be trained.

    Attributes:
        architecture: Closed.
        identity: Of the architecture.
        position: Its decisions as a point; see `position`.
        measures: What is known of it untrained.
    """

    architecture: Architecture
    identity: str
    position: np.ndarray
    measures: Measures


@dataclass(frozen=True, eq=False)
class State:
    """What a search over a space knows.

    Attributes:
        space: Architectures, as one with openings.
        seed: Of what is random.
        drafts: By identity: those that may be trained, are in training, or were trained.
        asked: The identities of those that were asked for, in order.
        told: The scores of those that were trained, in order; higher is better, NaN where it failed.
    """

    space: Architecture
    seed: int
    drafts: Mapping[str, Draft]
    asked: tuple[str, ...] = ()
    told: tuple[tuple[str, float], ...] = ()

    @property
    def waiting(self) -> list[Draft]:
        """The drafts that nobody asked for yet."""
        return [draft for identity, draft in self.drafts.items() if identity not in self.asked]

    @property
    def trained(self) -> list[tuple[Draft, float]]:
        """The drafts that came to a score, in order."""
        return [(self.drafts[name], score) for name, score in self.told if not math.isnan(score)]


def begin(
    space: Architecture, measure: Measure, *, draws: int, seed: int, drawn: Iterable[Architecture] = ()
) -> State:
    """A search that has drawn its first drafts: as many as are asked for, or as there are.

    Args:
        space: With openings.
        measure: Of an architecture.
        draws: How many drafts.
        seed: Of all that is random.
        drawn: Architectures of the space that become drafts before any that are drawn here.

    Raises:
        ConfigError: If nothing that is drawn is wanted.
    """
    further = (draw(space, seed=derive(seed, "draft", number)) for number in range(_TRIES * draws))
    state = _with(State(space, seed, {}), chain(drawn, further), measure, draws)
    if not state.drafts:
        raise ConfigError(
            "A search needs an architecture within its limits.",
            received=f"none of {_TRIES * draws} that were drawn from the space",
            remedy="raise the limits, or leave smaller options open",
        )
    return state


def ask(state: State) -> Draft | None:
    """The draft to be trained next; None where none is waiting.

    First those that promise most by the ranks of their measures, each as far as may be from those before it;
    then the one of the highest expected improvement.
    """
    waiting, trained = state.waiting, state.trained
    if not waiting:
        return None
    if len(state.asked) < FIRST or len(trained) < 2:
        return _first(state, waiting)
    known, scores = points([draft for draft, _ in trained]), np.array([score for _, score in trained])
    return waiting[chosen(known, scores, points(waiting))]


def points(drafts: Sequence[Draft]) -> Points:
    """Drafts as the surrogate takes them."""
    measures = np.array([one.measures for one in drafts], float).reshape(len(drafts), -1)
    return Points(np.stack([one.position for one in drafts]), measures)


def taken(state: State, draft: Draft) -> State:
    """The state in which a draft is in training."""
    return replace(state, asked=(*state.asked, draft.identity))


def tell(state: State, draft: Draft, score: float) -> State:
    """The state that knows what a draft came to; NaN if its training failed."""
    return replace(state, told=(*state.told, (draft.identity, score)))


def renewed(state: State, measure: Measure, *, children: int = CHILDREN) -> State:
    """The state with drafts more: children of the best, most with a decision changed, some of two parents.

    Args:
        state: As it is.
        measure: Of an architecture.
        children: That are born; those that are known or unwanted become no drafts.
    """
    best = sorted(state.trained, key=lambda pair: -pair[1])[:_PARENTS]
    parents = [draft.architecture for draft, _ in best]
    if not parents or not state.space.openings():
        return state
    seed = derive(state.seed, "children", len(state.told))
    return _with(state, islice(_children(state.space, parents, seed), children), measure, children)


def aged(state: State, measure: Measure) -> tuple[State, Draft | None]:
    """The next draft of regularized evolution, and the state that holds it.

    While the population grows any draft is taken, in the order in which they were drawn; then the best of a
    few among the youngest is mutated. None where no new mutant is found.
    """
    if len(state.asked) < _ALIVE or not state.trained:
        return state, next(iter(state.waiting), None)
    random = np.random.default_rng(derive(state.seed, "aging", len(state.asked)))
    alive = state.trained[-_ALIVE:]
    several = random.choice(len(alive), min(_SAMPLED, len(alive)), replace=False)
    parent = max((alive[number] for number in several), key=lambda pair: pair[1])[0].architecture
    born = (mutate(state.space, parent, seed=int(random.integers(2**31))) for _ in range(_TRIES))
    grown = _with(state, born, measure, 1)
    return grown, next((draft for name, draft in grown.drafts.items() if name not in state.drafts), None)


def _children(space: Architecture, parents: Sequence[Architecture], seed: int) -> Iterator[Architecture]:
    random = np.random.default_rng(seed)
    for number in count():
        parent = parents[number % len(parents)]
        other = parents[int(random.integers(len(parents)))]
        drawn = int(random.integers(2**31))
        if number % _CROSSED == _CROSSED - 1 and other is not parent:
            yield cross(space, parent, other, seed=drawn)
        else:
            yield mutate(space, parent, seed=drawn)


def _with(state: State, found: Iterable[Architecture], measure: Measure, most: int) -> State:
    """The state with new drafts of architectures that are wanted and not known yet."""
    openings, drafts = state.space.openings(), dict(state.drafts)
    seen, room = set(drafts), len(drafts) + most
    for architecture in found:
        identity = architecture.identity()
        if identity in seen:
            continue
        seen.add(identity)
        if (measures := measure(architecture)) is not None:
            made = decisions(state.space, architecture)
            drafts[identity] = Draft(architecture, identity, position(openings, made), measures)
        if len(drafts) == room:
            break
    return replace(state, drafts=drafts)


def _first(state: State, waiting: Sequence[Draft]) -> Draft:
    promises = log_ranks([one.measures for one in waiting])
    best = np.argsort(-promises, kind="stable")[: max(1, int(_PROMISING * len(waiting)))]
    if not state.asked:
        return waiting[int(best[0])]
    known = np.stack([state.drafts[name].position for name in state.asked])
    away = [float(np.min(np.sum((known - waiting[n].position) ** 2, axis=1))) for n in best]
    return waiting[int(best[int(np.argmax(away))])]


def position(openings: Mapping[str, Open], made: Mapping[str, Any]) -> np.ndarray:
    """Decisions as a point: where one of several differs, points are at a distance of one.

    Numbers lie on a line, from 0 to 1 by their rank, or by their value where anything between is on offer.
    What was not decided, as it is inside an option that wasn't chosen, lies in the middle.
    """
    return np.concatenate(
        [_coordinates(one, made[path]) if path in made else _middle(one) for path, one in openings.items()]
    )


def _coordinates(opening: Open, value: Any) -> np.ndarray:
    if isinstance(opening, Between):
        ends = np.array([opening.low, opening.high, value], float)
        low, high, at = np.log(ends) if opening.log else ends
        return np.array([(at - low) / (high - low)])
    if _on_a_line(opening):
        return np.array([sorted(opening.options).index(value) / max(1, len(opening.options) - 1)])
    return np.array([exact(value) == exact(option) for option in opening.options]) / math.sqrt(2.0)


def _middle(opening: Open) -> np.ndarray:
    if isinstance(opening, Between) or _on_a_line(opening):
        return np.array([0.5])
    return np.zeros(len(opening.options))


def _on_a_line(choice: Choice) -> bool:
    numbers = [one for one in choice.options if isinstance(one, int | float) and not isinstance(one, bool)]
    return len(numbers) == len(choice.options)
