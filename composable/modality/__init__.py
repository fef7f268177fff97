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
from composable.modality.designed import designed
from composable.modality.facts import DataFacts
from composable.modality.image import IMAGE
from composable.modality.mask import MASK
from composable.modality.mixed import also_as_table, beside_table
from composable.modality.modality import Modality
from composable.modality.series import SERIES_MODALITY
from composable.modality.table import TABLE
from composable.modality.text import TEXT
from composable.problem.problem import Problem
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
    """What is worth trying on rows: a portfolio, then perhaps draws without end.

    Args:
        facts: What is known of the rows.
        seed: The seed of the draws.
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
    modality = modality_of(facts.inputs, facts.problem)
    if design is not None:
        space = modality.fit_design(design.architecture, facts)
        found = designed(design.name, space, modality.settings(facts), seed)
    else:
        found = modality.candidates(facts, seed, seconds)
    for candidate in chain(first, found):
        epochs = candidate.settings.epochs if max_epochs is None else max_epochs
        settings = overridden(replace(candidate.settings, epochs=epochs), training)
        yield replace(candidate, settings=settings)


__all__ = ["MODALITIES", "Modality", "candidates", "modality_of", "modality_of_columns"]
