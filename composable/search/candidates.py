"""The networks worth trying on a table: a portfolio, cheapest first, then draws from open architectures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count

import numpy as np

from composable.core.seeds import derive
from composable.design import Architecture, Choice, Part
from composable.design.tasks import binary_classifier, classifier, multi_label_classifier, regressor
from composable.engine.train import Settings
from composable.problem.problem import Head, Problem
from composable.training.rotating import Candidate
from composable.zoo.linear import linear
from composable.zoo.mlp import mlp
from composable.zoo.tabm import tabm_mini

PORTFOLIO = 5  # candidates that are always there; draws follow
_WIDE = 100  # from so many numbers on, embeddings and bins are kept small
_LARGE = 20_000  # from so many rows on, networks are kept smaller


@dataclass(frozen=True)
class Table:
    """What decides about sizes.

    Attributes:
        problem: One task per head.
        rows: The number of rows to learn from.
        widths: Of the model's inputs.
        categories: The number of codes of each category column.
    """

    problem: Problem
    rows: int
    widths: Mapping[str, int]
    categories: tuple[int, ...]

    @property
    def tasks(self) -> tuple[Part, ...]:
        """One per head."""
        return tuple(_task(head) for head in self.problem.heads)

    @property
    def batch_size(self) -> int:
        """More steps per epoch where there are few rows."""
        return 32 if self.rows <= 1500 else 128 if self.rows <= 4000 else 256

    @property
    def wide(self) -> bool:
        """Whether embeddings of every number would be most of the work."""
        return self.widths.get("numbers", 0) + 7 * self.widths.get("dates", 0) > _WIDE


def candidates(table: Table, *, seed: int, max_epochs: int | None = None) -> Iterator[Candidate]:
    """First the portfolio, then draws without end, the same ones for the same seed.

    Args:
        table: What decides about sizes.
        seed: Of the draws.
        max_epochs: Of each training; None for as many as it takes.
    """
    for candidate in chain(_portfolio(table), _draws(table, seed)):
        epochs = candidate.settings.epochs if max_epochs is None else max_epochs
        yield replace(candidate, settings=replace(candidate.settings, epochs=epochs))


def _portfolio(table: Table) -> Iterator[Candidate]:
    """A linear model, MLPs and TabM-minis; the first takes a second or two."""
    tasks, categories = table.tasks, table.categories
    bins, width = (16, 4) if table.wide else (48, 8)
    perceptron = partial(mlp, tasks, categories=categories, bins=bins, width=width)
    tabm = partial(tabm_mini, tasks, categories=categories, width=width)
    units = 128 if table.rows > _LARGE else 192
    yield Candidate("linear", linear(tasks, categories=categories), _settings(table, 1e-2, patience=8))
    yield Candidate("mlp", perceptron(), _settings(table, 1e-3))
    small = tabm(bins=max(8, bins // 3), units=96, blocks=3, dropout=0.0)
    yield Candidate("tabm_mini_small", small, _settings(table, 2e-3))
    yield Candidate("tabm_mini", tabm(bins=bins, units=units), _settings(table, 2e-3))
    deep = perceptron(units=384, blocks=3, dropout=0.25)
    yield Candidate("mlp_deep", deep, _settings(table, 5e-4))


def _draws(table: Table, seed: int) -> Iterator[Candidate]:
    """Random search (Bergstra & Bengio 2012): the open architectures closed at random, with random rates."""
    spaces = _spaces(table)
    for number in count(1):
        rng = np.random.default_rng(derive(seed, "draw", number))
        name = tuple(spaces)[number % len(spaces)]
        architecture = _drawn(spaces[name], rng)
        rate = float(np.exp(rng.uniform(np.log(5e-4), np.log(5e-3))))
        settings = replace(_settings(table, rate), weight_decay=float(rng.choice([0.0, 3e-4, 3e-2])))
        yield Candidate(f"{name}_{number}", architecture, settings)


def _drawn(space: Architecture, rng: np.random.Generator) -> Architecture:
    return space.fill(lambda _, options: options[int(rng.integers(len(options)))])


def _spaces(table: Table) -> dict[str, Architecture]:
    """The portfolio's families with their metaparameters left open."""
    tasks, categories = table.tasks, table.categories
    bins, width = (4, 16), (2, 4)
    if not table.wide:
        bins, width = (8, 16, 48), (4, 8, 16)
    families = {
        "mlp": (mlp, (128, 256, 512)),
        "tabm_mini": (tabm_mini, (64, 96, 128) if table.rows > _LARGE else (64, 128, 256)),
    }
    return {
        name: family(
            tasks,
            categories=categories,
            units=Choice(units),
            blocks=2,
            dropout=Choice((0.0, 0.1, 0.25)),
            bins=Choice(bins),
            width=Choice(width),
        )
        for name, (family, units) in families.items()
    }


def _settings(table: Table, learning_rate: float, *, patience: int = 10) -> Settings:
    return Settings(learning_rate=learning_rate, batch_size=table.batch_size, patience=patience)


def _task(head: Head) -> Part:
    match head.kind:
        case "regression":
            return Part(regressor)
        case "binary":
            return Part(binary_classifier)
        case "multiclass":
            return Part(classifier, classes=len(head.labels))
    return Part(multi_label_classifier, labels=len(head.targets))
