"""A user's own design: fitted to the rows, and as a family of candidates in several training settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from composable.core.seeds import derive
from composable.design import Architecture, Between, Choice, Part
from composable.design.architecture import Parts
from composable.design.metaparameters import names
from composable.design.stems import concatenated
from composable.design.tables import prepare
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.search.space import OpenCandidate
from composable.training.candidate import Candidate

_SCHEDULED = 0.9  # of the time that is left, for a training that is made to fit its time


def designed(name: str, space: Architecture, usual: Settings) -> OpenCandidate:
    """A design as a family: what it leaves open, the rate and the decay of its training.

    Args:
        name: Of the design.
        space: The design, fitted to the rows.
        usual: How it is usually trained.
    """
    share = _SCHEDULED if usual.patience is None else 1.0
    open_settings = {
        "learning_rate": Between(3e-4, 1e-2, log=True),
        "weight_decay": Choice((0.0, 3e-4, 3e-2)),
    }
    return OpenCandidate(Candidate(name, space, usual, share), open_settings)


def first_of(family: OpenCandidate, seed: int) -> Candidate:
    """The first candidate of a design: it trains at a usual rate; what the design leaves open is drawn.

    Args:
        family: Of the design.
        seed: Of the draws.
    """
    rng = np.random.default_rng(derive(seed, "design", 0))
    drawn = family.usual.architecture.fill(lambda _, opening: opening.draw(rng))
    return replace(family.usual, architecture=drawn)


def changed_parts(parts: Parts, change: Callable[[Part], Part]) -> Parts:
    """Parts, in whatever order and choices they stand, each as `change` makes it."""
    match parts:
        case Part():
            return change(parts)
        case Choice(options, name):
            return Choice(tuple(changed_parts(option, change) for option in options), name)
        case tuple():
            return tuple(changed_parts(each, change) for each in parts)
    return parts


def every_part(parts: Parts) -> Iterator[Part]:
    """The parts, in whatever order and choices they stand."""
    match parts:
        case Part():
            yield parts
        case Choice(options):
            yield from chain.from_iterable(map(every_part, options))
        case tuple():
            yield from chain.from_iterable(map(every_part, parts))


def usual_settings(facts: DataFacts) -> Settings:
    """How a user's own design is trained: at a usual rate, until it no longer becomes better."""
    return Settings(learning_rate=1e-3, batch_size=facts.batch_size, patience=10)


def fit_to_table(design: Architecture, facts: DataFacts) -> Architecture:
    """The design with this table's tasks and categories.

    A design that doesn't take tables apart itself is given one vector per row: scaled numbers, one-hot and
    embedded categories, side by side.
    """

    def with_categories(part: Part) -> Part:
        return part.replace(categories=facts.categories) if _takes_categories(part) else part

    prestem, stem = (changed_parts(parts, with_categories) for parts in (design.prestem, design.stem))
    if not any(_takes_categories(part) for part in every_part(design.prestem)):
        prestem = (Part(prepare, categories=facts.categories, bins=0), Part(concatenated), prestem)
    return replace(design, prestem=prestem, stem=stem).with_tasks(*facts.tasks)


def _takes_categories(part: Part) -> bool:
    return "categories" in names(part.component)
