"""The modalities, each a module; everything above takes that of its rows and treats all alike."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from composable.core.errors import ConfigError
from composable.data.schema import Schema
from composable.modality.designed import designed, first_of
from composable.modality.facts import DataFacts
from composable.modality.image import IMAGE
from composable.modality.mask import MASK
from composable.modality.mixed import also_as_table, beside_table
from composable.modality.modality import Modality
from composable.modality.series import SERIES_MODALITY
from composable.modality.table import TABLE
from composable.modality.text import TEXT
from composable.problem.problem import Problem
from composable.search.space import OpenCandidate, family_named, usually_open
from composable.training.candidate import Candidate
from composable.training.overrides import overridden
from composable.zoo.catalog.parse import ParsedDesign

MODALITIES: tuple[Modality, ...] = (MASK, TABLE, TEXT, IMAGE, SERIES_MODALITY)


def modality_of(inputs: Collection[str], problem: Problem) -> Modality:
    """The modality of rows.

    Args:
        inputs: The names of the model's inputs. Where they are of several modalities, the rows are those of a
            table with other columns beside.
        problem: Says what is predicted.
    """
    targets = {head.kind for head in problem.heads}
    present = [one for one in MODALITIES if one.inputs & set(inputs)]
    for one in present:
        if one.targets & targets:
            return one
    present = [one for one in present if not one.targets]
    if present == [TABLE]:
        return TABLE
    others = [one for one in present if one is not TABLE]
    return also_as_table(present[0]) if len(present) == 1 else beside_table(others)


def modality_of_columns(schema: Schema) -> Modality:
    """The modality that rows of a schema have before anything is encoded: that of the features alone."""
    kinds = {column.kind for column in schema.features}
    return next((one for one in MODALITIES if not one.targets and kinds <= one.columns), TABLE)


def candidates(
    facts: DataFacts,
    *,
    seed: int,
    seconds: float = math.inf,
    max_epochs: int | None = None,
    design: ParsedDesign | None = None,
    first: Iterable[Candidate] = (),
    training: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Candidate]:
    """What is worth trying on rows: the portfolio.

    Args:
        facts: What is known of the rows.
        seed: Of what is drawn where the user's design is open.
        seconds: For all of them together.
        max_epochs: Epochs of each training at most; None for as many as it takes.
        design: The user's own design, to be tried instead.
        first: Candidates that are tried before these.
        training: Settings of the training that a user overrules, see `composable.training.overrides`.

    Raises:
        ConfigError: If the training should mix parts of rows that have no parts.
    """
    if training.get("cutmix") and not facts.signals:
        raise ConfigError(
            "CutMix is for images.", received=f"cutmix={training['cutmix']}", remedy="set mixup instead"
        )
    if design is not None:
        found: Iterable[Candidate] = (first_of(_family_of(design, facts), seed),)
    else:
        found = modality_of(facts.inputs, facts.problem).candidates(facts, seconds)
    for candidate in chain(first, found):
        yield _overridden(candidate, max_epochs, training)


def families(
    facts: DataFacts,
    portfolio: Iterable[Candidate],
    *,
    max_epochs: int | None = None,
    design: ParsedDesign | None = None,
    training: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[OpenCandidate, ...]:
    """The space that is searched: the families of a portfolio, with what is open in each.

    Args:
        facts: What is known of the rows.
        portfolio: As `candidates` gives it for the same facts.
        max_epochs: As there.
        design: As there.
        training: As there; what a user overrules isn't open.
    """
    if design is not None:
        known: tuple[OpenCandidate, ...] = (_family_of(design, facts),)
    else:
        known = modality_of(facts.inputs, facts.problem).space(facts)
    found: list[OpenCandidate] = []
    for one in portfolio:
        if family_named(found, one.name) is None:
            family = family_named(known, one.name) or usually_open(one)
            only_training = len(family.openings) == len(family.training)
            found.append(replace(family, usual=one) if only_training else family)
    return tuple(
        OpenCandidate(
            _overridden(one.usual, max_epochs, training),
            {name: opening for name, opening in one.training.items() if name not in training},
        )
        for one in found
    )


def _family_of(design: ParsedDesign, facts: DataFacts) -> OpenCandidate:
    """A user's own design as a family."""
    modality = modality_of(facts.inputs, facts.problem)
    space = modality.fit_design(design.architecture, facts)
    return designed(design.name, space, modality.settings(facts))


def _overridden(candidate: Candidate, max_epochs: int | None, training: Mapping[str, Any]) -> Candidate:
    epochs = candidate.settings.epochs if max_epochs is None else max_epochs
    return replace(candidate, settings=overridden(replace(candidate.settings, epochs=epochs), training))


__all__ = ["MODALITIES", "Modality", "candidates", "families", "modality_of", "modality_of_columns"]
