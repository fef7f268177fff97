"""The networks worth trying on a table: a portfolio, cheapest first, then draws from open architectures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, count
from types import MappingProxyType
from typing import Any

import numpy as np

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design import Architecture, Between, Choice, Part
from composable.design.closed_form import kernel_scores
from composable.design.tasks import regressor
from composable.engine.settings import Settings
from composable.search.deep_text_candidates import deep_text_candidates
from composable.search.designed import designed
from composable.search.image_candidates import image_candidates, mixed_candidate
from composable.search.mask_candidates import mask_candidates
from composable.search.table import Pixels, Table
from composable.search.text_candidates import text_candidates
from composable.training import recipes
from composable.training.candidate import Candidate
from composable.training.kernel_ridge import kernel_ridge
from composable.training.overrides import overridden
from composable.zoo.catalog.parse import ParsedDesign
from composable.zoo.linear import linear
from composable.zoo.mlp import mlp
from composable.zoo.realmlp import realmlp
from composable.zoo.tabm import tabm_mini

_LARGE = 20_000  # from so many rows on, networks are kept smaller
_MANY, _WIDE = 2_000, 100  # from so many rows or features on, RealMLP comes first
_KEPT, _KEPT_NUMBERS = 4000, 1_000_000  # rows that a kernel compares with, and their features in all
_SCHEDULED = 0.5  # of the time left, for a training that is made to fit its time
_WITH_IMAGES = 6  # candidates at most, where there are images
_EPOCHS = 128  # of RealMLP: half of what its authors take, for half the time


def candidates(
    table: Table,
    *,
    seed: int,
    seconds: float = math.inf,
    max_epochs: int | None = None,
    design: ParsedDesign | None = None,
    first: Iterable[Candidate] = (),
    training: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Candidate]:
    """First the portfolio, then draws without end, the same ones for the same seed.

    Args:
        table: What decides about sizes.
        seed: Of the draws.
        seconds: For all of them together.
        max_epochs: Of each training; None for as many as it takes.
        design: The user's own, to be tried instead.
        first: Candidates that are tried before these.
        training: Settings of the training that a user overrules, see `composable.training.overrides`.

    Raises:
        ConfigError: If the training should mix parts of images where there are none.
    """
    if training.get("cutmix") and table.pixels is None:
        raise ConfigError(
            "CutMix is for images.", received=f"cutmix={training['cutmix']}", remedy="set mixup instead"
        )
    if design is not None:
        found = designed(table, design, seed)
    elif table.pixels is not None and table.masks:
        found = mask_candidates(table, table.pixels, seconds)
    elif table.pixels is not None and not table.widths and table.pixels.images == 1:
        found = image_candidates(table, table.pixels, seed=seed, seconds=seconds)
    elif table.pixels is not None:
        found = _with_images(table, table.pixels, seconds)
    else:
        found = _found(table, seed, seconds)
    for candidate in chain(first, found):
        epochs = candidate.settings.epochs if max_epochs is None else max_epochs
        settings = overridden(replace(candidate.settings, epochs=epochs), training)
        yield replace(candidate, settings=settings)


def portfolio_size(table: Table) -> int:
    """How many candidates there are at most before draws follow."""
    return _WITH_IMAGES if table.pixels is not None else sum(1 for _ in _always(table))


def _found(table: Table, seed: int, seconds: float) -> Iterator[Candidate]:
    yield from _always(table, seconds)
    if not table.texts_alone:
        yield from _draws(table, seed)


def _always(table: Table, seconds: float = math.inf) -> Iterator[Candidate]:
    """Those for texts where there are any, then those for tables where there is anything else."""
    if table.vocabularies:
        yield from text_candidates(table)
    if not table.texts_alone:
        yield from _portfolio(table)
    elif table.vocabularies:
        yield from deep_text_candidates(table, seconds)


def _portfolio(table: Table) -> Iterator[Candidate]:
    """A linear model, which takes a second or two, then RealMLP and TabM-mini in several sizes."""
    tasks, categories = table.tasks, table.categories
    most, bins = table.most_units, table.bins
    tabm = partial(tabm_mini, tasks=tasks, categories=categories, width=table.width)
    real = realmlp(tasks=tasks, categories=categories, units=_layers(table))
    usual = _realmlp_settings(table)
    yield Candidate("linear", linear(tasks=tasks, categories=categories), _settings(table, 1e-2, patience=8))
    if table.rows <= _KEPT and not table.vocabularies:  # texts have a kernel of their own
        yield _kernel(table)
    strong = [
        Candidate("realmlp", real, usual, _SCHEDULED),
        Candidate(
            "tabm_mini",
            tabm(bins=bins, units=min(128 if table.rows > _LARGE else 192, most)),
            _settings(table, 2e-3),
        ),
    ]
    # TabM is the better one on few rows; on many, or of many features each of which it embeds, RealMLP learns
    # far more in the same time.
    yield from strong if table.rows > _MANY or table.plain > _WIDE else reversed(strong)
    yield Candidate("realmlp_slow", real, replace(usual, learning_rate=usual.learning_rate / 4), _SCHEDULED)
    small = tabm(bins=max(4, bins // 3), units=min(96, most), blocks=3, dropout=0.0)
    yield Candidate("tabm_mini_small", small, _settings(table, 2e-3))
    perceptron = mlp(tasks=tasks, categories=categories, bins=bins, width=table.width, units=min(256, most))
    yield Candidate("mlp", perceptron, _settings(table, 1e-3))


def _kernel(table: Table) -> Candidate:
    """Kernel ridge regression on all rows, or so many that the network stays small."""
    rows = max(1, min(table.kept, _KEPT_NUMBERS // table.plain))
    task = Part(regressor, scores=Part(kernel_scores, rows=rows))
    design = linear(tasks=(task,), categories=table.categories).with_tasks(*table.tasks)
    solver = Part(kernel_ridge, rows=rows, categories=table.categories)
    return Candidate("kernel", design, Settings(), solver=solver)


def _with_images(table: Table, pixels: Pixels, seconds: float) -> Iterator[Candidate]:
    """Networks for the table alone, where there is anything else, one for table and images as the second."""
    mixed = mixed_candidate(table, pixels, seconds=seconds)
    if not table.widths:
        return iter([mixed])
    first, *others = _portfolio(table)
    return iter([first, mixed, *others])


def _draws(table: Table, seed: int) -> Iterator[Candidate]:
    """Random search (Bergstra & Bengio 2012): the open architectures closed at random, with random rates."""
    spaces = _spaces(table)
    for number in count(1):
        rng = np.random.default_rng(derive(seed, "draw", number))
        name = tuple(spaces)[number % len(spaces)]
        architecture = _drawn(spaces[name], rng)
        if name == "realmlp":
            settings, share = _drawn_realmlp(table, rng), _SCHEDULED
        else:
            rate = float(np.exp(rng.uniform(np.log(5e-4), np.log(5e-3))))
            decay = float(rng.choice([0.0, 3e-4, 3e-2]))
            settings, share = replace(_settings(table, rate), weight_decay=decay), 1.0
        yield Candidate(f"{name}_{number}", architecture, settings, share)


def _drawn_realmlp(table: Table, rng: np.random.Generator) -> Settings:
    """Rates about the usual one, and decays, from the search space of TabArena."""
    usual = _realmlp_settings(table)
    factor = float(np.exp(rng.uniform(np.log(0.15), np.log(2.0))))
    decay = float(np.exp(rng.uniform(np.log(1e-3), np.log(5e-2))))
    return replace(usual, learning_rate=factor * usual.learning_rate, weight_decay=decay)


def _drawn(space: Architecture, rng: np.random.Generator) -> Architecture:
    return space.fill(lambda _, opening: opening.draw(rng))


def _spaces(table: Table) -> dict[str, Architecture]:
    """The portfolio's families with their metaparameters left open."""
    tasks, categories = table.tasks, table.categories
    most = table.most_units
    families = {
        "mlp": (mlp, (128, 256, 512)),
        "tabm_mini": (tabm_mini, (64, 96, 128) if table.rows > _LARGE else (64, 128, 256)),
    }
    found = {
        name: family(
            tasks=tasks,
            categories=categories,
            units=Choice(tuple(min(most, count) for count in units)),
            blocks=2,
            dropout=Choice((0.0, 0.1, 0.25)),
            bins=Choice((table.bins, max(4, table.bins // 3), max(4, table.bins // 6))),
            width=Choice((table.width, max(1, table.width // 2), min(16, 2 * table.width))),
        )
        for name, (family, units) in families.items()
    }
    real = realmlp(
        tasks=tasks,
        categories=categories,
        units=_layers(table),
        dropout=Choice((0.0, 0.15, 0.3)),
        deviation=Between(0.02, 0.5, log=True),
    )
    return {"realmlp": real, **found}


def _layers(table: Table) -> tuple[int, ...]:
    """The widths of RealMLP's layers."""
    return (min(256, table.most_units), 256, 256)


def _realmlp_settings(table: Table) -> Settings:
    """RealMLP's recipe; smaller batches where there are few rows, as its authors' own choice is there."""
    batch = 64 if table.rows <= 1024 else 128 if table.rows <= 8192 else 256 if table.rows <= 30_000 else 512
    return recipes.realmlp(table.problem, epochs=_EPOCHS, batch_size=batch)


def _settings(table: Table, learning_rate: float, *, patience: int = 10) -> Settings:
    return Settings(learning_rate=learning_rate, batch_size=table.batch_size, patience=patience)
