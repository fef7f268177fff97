"""A user's own design as candidates: fitted to the table, openings closed, in several training settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from composable.core.seeds import derive
from composable.design import Architecture, Choice, Part
from composable.design.architecture import Parts
from composable.design.metaparameters import names
from composable.design.prestems import select_input, standardize
from composable.design.stems import concatenated
from composable.design.tables import prepare
from composable.engine.settings import Settings
from composable.search.deep_text_candidates import word_settings
from composable.search.table import Pixels, Table
from composable.training import recipes
from composable.training.candidate import Candidate
from composable.zoo.catalog import FAMILIES
from composable.zoo.catalog.parse import ParsedDesign

_SCHEDULED = 0.9  # of the time that is left, for a training that is made to fit its time


def designed(table: Table, design: ParsedDesign, seed: int) -> Iterator[Candidate]:
    """Candidates of one design without end, the same ones for the same seed.

    The first one trains as designed at a usual rate; where the design leaves something open, it is drawn.
    Each of the others draws its openings, its learning rate and its weight decay anew.
    """
    if table.pixels is not None and not table.widths:
        space = for_images(design.architecture, table, table.pixels)
        usual = recipes.images(table.problem, rows=table.rows, augment=table.augment)
        usual, share = replace(usual, mixup=table.mixup, cutmix=table.cutmix), _SCHEDULED
    elif table.vocabularies and _reads_words(design):
        space, usual, share = for_texts(design.architecture, table), word_settings(table), 1.0
    else:
        space = for_table(design.architecture, table)
        usual, share = Settings(learning_rate=1e-3, batch_size=table.batch_size, patience=10), 1.0
    for number in count():
        rng = np.random.default_rng(derive(seed, "design", number))
        settings = usual
        if number > 0:
            rate = float(np.exp(rng.uniform(np.log(3e-4), np.log(1e-2))))
            decay = float(rng.choice([0.0, 3e-4, 3e-2]))
            settings = replace(settings, learning_rate=rate, weight_decay=decay)
        drawn = space.fill(lambda _, opening, rng=rng: opening.draw(rng))
        yield Candidate(f"{design.name}_{number}" if number else design.name, drawn, settings, share)


def for_images(design: Architecture, table: Table, pixels: Pixels) -> Architecture:
    """The design with these tasks; where it standardizes, by the colors of these images."""
    prestem = _standardized(design.prestem, pixels)
    return replace(design, prestem=(Part(select_input), prestem)).with_tasks(*table.tasks)


def _standardized(parts: Parts, pixels: Pixels) -> Parts:
    match parts:
        case Part() if parts.component is standardize:
            return parts.replace(mean=pixels.mean, deviation=pixels.deviation)
        case Choice(options, name):
            return Choice(tuple(_standardized(option, pixels) for option in options), name)
        case tuple():
            return tuple(_standardized(each, pixels) for each in parts)
    return parts


def _reads_words(design: ParsedDesign) -> bool:
    """Whether it takes ids of words: a family for texts, or a design of one's own that has a vocabulary."""
    family = FAMILIES.get(design.family or "")
    return family.modality == "text" if family else _takes(design.architecture.stem, "vocabulary")


def for_texts(design: Architecture, table: Table) -> Architecture:
    """The design with these tasks, on the words in their order, as many ids and positions as there are."""
    sizes = {"vocabulary": table.vocabularies["words"], "positions": table.widths["words"]}
    fitted = replace(design, stem=_with(design.stem, sizes), learner=_with(design.learner, sizes))
    prestem = (Part(select_input, name="words"), design.prestem)
    return replace(fitted, prestem=prestem).with_tasks(*table.tasks)


def for_table(design: Architecture, table: Table) -> Architecture:
    """The design with this table's tasks and categories.

    A design that doesn't take tables apart itself is given one vector per row: scaled numbers, one-hot and
    embedded categories, side by side.
    """
    sizes = {"categories": table.categories}
    prestem, stem = _with(design.prestem, sizes), _with(design.stem, sizes)
    if not _takes(design.prestem, "categories"):
        prestem = (Part(prepare, categories=table.categories, bins=0), Part(concatenated), prestem)
    return replace(design, prestem=prestem, stem=stem).with_tasks(*table.tasks)


def _takes(parts: Parts, name: str) -> bool:
    """Whether one of the parts, or of their options, has a metaparameter of that name."""
    match parts:
        case Part():
            return name in names(parts.component)
        case Choice(options):
            return any(_takes(option, name) for option in options)
        case tuple():
            return any(_takes(each, name) for each in parts)
    return False


def _with(parts: Parts, sizes: Mapping[str, Any]) -> Parts:
    """The parts with these metaparameters, where they take them."""
    match parts:
        case Part():
            taken = {name: size for name, size in sizes.items() if name in names(parts.component)}
            return parts.replace(**taken)
        case Choice(options, name):
            return Choice(tuple(_with(option, sizes) for option in options), name)
        case tuple():
            return tuple(_with(each, sizes) for each in parts)
    return parts
