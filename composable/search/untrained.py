"""A search over architectures that trains none: drawn, scored untrained, evolved by what they promise.

As in AZ-NAS (Lee & Ham 2024, arXiv:2403.19232, section 4): evolution by the ranks of zero-cost scores. Limits
on cost are hard: what is beyond them is made smaller, one decision after another, or left, and never scored.
Among the others the Pareto front shows what a larger network promises more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.architecture import Architecture
from composable.design.building import outline
from composable.design.cost import Cost, cost
from composable.design.evolve import draw, mutate
from composable.design.inputs import Input, Inputs, as_inputs
from composable.search.architectures import Untrained
from composable.search.evolution import Measures, State, begin, renewed
from composable.search.zero_cost import COMBINED, Scores, promise, zero_cost

ROWS = 16  # of one batch
_FREE = 32  # stands for a size that is left free
_ROUNDS = 3  # in which the most promising ones have children
_STEPS = 60  # decisions made anew, for an architecture that is too large
_CODES = 2  # of a category or a vocabulary, which has two at least


@dataclass(frozen=True)
class CostLimits:
    """What a network may cost at most.

    Attributes:
        parameters: All that are stored.
        multiply_adds: For one row.
        bytes: Of the weights.
    """

    parameters: float = math.inf
    multiply_adds: float = math.inf
    bytes: float = math.inf

    def excess(self, found: Cost) -> float:
        """How many times as much a network costs as it may, where that is most."""
        return max(
            found.parameters / self.parameters,
            found.multiply_adds / self.multiply_adds,
            found.bytes / self.bytes,
        )


@dataclass(frozen=True, eq=False)
class Promising:
    """An architecture that was found.

    Attributes:
        architecture: Closed.
        scores: Its own.
        promise: Among all that were scored, at most 0: see `composable.search.zero_cost.promise`.
        on_front: Whether no other one that was scored promises more for as many parameters and multiply-adds.
    """

    architecture: Architecture
    scores: Scores
    promise: float
    on_front: bool


def search_untrained(
    space: Architecture, inputs: Inputs, *, limits: CostLimits, draws: int, seed: int
) -> list[Promising]:
    """Draw architectures, score them untrained on random inputs, evolve them; the most promising one first.

    Args:
        space: With openings.
        inputs: What a network takes in.
        limits: Beyond which none is wanted.
        draws: Architectures that are scored before the first have children; half as many in each round after.
        seed: Of all that is random.

    Raises:
        ConfigError: If nothing within the limits is drawn, or the networks can't be scored untrained.
    """
    rows, known = random_rows(inputs, seed), dict[str, Scores]()

    def excess(architecture: Architecture) -> float:
        return limits.excess(cost(outline(architecture, inputs)[0]))

    def measured(architecture: Architecture) -> Measures | None:
        if excess(architecture) > 1:
            return None
        found = zero_cost(architecture, inputs, rows, seed=seed)
        known[architecture.identity()] = found
        return tuple(getattr(found, name) for name in COMBINED)

    drawn = (_lowered(space, excess, derive(seed, "lowered", number)) for number in range(2 * draws))
    state = begin(space, measured, draws=draws, seed=seed, drawn=drawn)
    for _ in range(_ROUNDS):
        state = renewed(_told(state, known), measured, children=max(1, draws // 2))
    scores = [known[name] for name in state.drafts]
    promises = np.round(promise(scores), 9)  # equal ranks make equal sums
    front = pareto_front(
        [(one, -s.parameters, -s.multiply_adds) for one, s in zip(promises, scores, strict=True)]
    )
    told = zip(state.drafts.values(), scores, promises, front, strict=True)
    found = [Promising(draft.architecture, s, float(one), bool(is_on)) for draft, s, one, is_on in told]
    return sorted(found, key=lambda one: (-one.promise, one.scores.parameters))


def _lowered(space: Architecture, excess: Callable[[Architecture], float], seed: int) -> Architecture:
    """One drawn, and decision after decision made anew while that brings it nearer to the limits."""
    one = draw(space, seed=seed)
    beyond = excess(one)
    for number in range(_STEPS):
        if beyond <= 1:
            break
        other = mutate(space, one, seed=derive(seed, number))
        if (less := excess(other)) < beyond:
            one, beyond = other, less
    return one


def known_untrained(inputs: Inputs, rows: Any | None, *, limits: CostLimits, seed: int) -> Untrained:
    """What a sampler goes by: logarithms of multiply-adds and parameters; on `rows`, zero-cost scores too.

    Args:
        inputs: What networks take in.
        rows: One batch; None where there is no time to score on it.
        limits: Beyond which no architecture is wanted.
        seed: Of what is drawn for scores.
    """
    counted = dict[str, Cost]()

    def costs(architecture: Architecture) -> Cost:
        name = repr(architecture)
        if name not in counted:
            counted[name] = cost(outline(architecture, inputs)[0])
        return counted[name]

    def measure(architecture: Architecture) -> Measures:
        found = costs(architecture)
        return math.log1p(found.multiply_adds), math.log1p(found.parameters)

    def excess(architecture: Architecture) -> float:
        return limits.excess(costs(architecture))

    def scores(architecture: Architecture) -> Measures:
        try:
            found = zero_cost(architecture, inputs, rows, seed=seed)
        except ConfigError:  # several tensors flow into the learner, which no score is made for
            return (math.nan,) * len(COMBINED)
        return tuple(getattr(found, name) for name in COMBINED)

    return Untrained(measure, excess, None if rows is None else scores)


def _told(state: State, known: dict[str, Scores]) -> State:
    """The state in which every draft has what it promises for a score."""
    names = list(state.drafts)
    promises = promise([known[name] for name in names])
    return replace(state, told=tuple(zip(names, map(float, promises), strict=True)))


def pareto_front(values: Sequence[Sequence[float]]) -> np.ndarray:
    """Which of several points no other one beats: is as good in all respects, and better in one.

    Args:
        values: (points, respects); more is better.
    """
    points = np.asarray(values, float)
    as_good = np.all(points[:, None] <= points[None], axis=-1)
    better = np.any(points[:, None] < points[None], axis=-1)
    return np.logical_not(np.any(as_good & better, axis=-1))


def random_rows(inputs: Inputs, seed: int) -> Any:
    """One batch of random inputs: normal numbers, any pixels, codes of 0 and 1."""
    random = np.random.default_rng(derive(seed, "random_rows"))

    def drawn(one: Input) -> np.ndarray:
        shape = (ROWS, *(size or _FREE for size in one.shape))
        if one.dtype == "uint8":
            return random.integers(0, 256, shape).astype(one.dtype)
        if one.dtype.startswith("int"):
            return random.integers(0, _CODES, shape).astype(one.dtype)
        return random.normal(size=shape).astype(one.dtype)

    given = as_inputs(inputs)
    return {name: drawn(one) for name, one in given.items()} if isinstance(given, dict) else drawn(given)
