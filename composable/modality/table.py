"""Tables: numbers, categories and dates in columns, and whatever lies beside them.

Worth trying is a portfolio of networks, cheapest first; its families are open to further suggestions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from composable.design import Architecture, Between, Choice, Part
from composable.design.stems import concatenated
from composable.design.tables import prepare
from composable.design.tasks import kernel_scores, regressor
from composable.engine.settings import Settings
from composable.modality.designed import fit_to_table, usual_settings
from composable.modality.facts import DataFacts
from composable.modality.modality import Modality
from composable.modality.trees import GRADIENT_BOOSTING, refuse_trees, tree_space, trees
from composable.search.space import OpenCandidate
from composable.training import recipes
from composable.training.candidate import Candidate
from composable.training.kernel_ridge import kernel_ridge
from composable.training.stages.pretrain.masking import masking, number_denoising
from composable.zoo.mlp import linear, mlp
from composable.zoo.realmlp import realmlp
from composable.zoo.tabm import tabm_mini

_LARGE = 20_000  # from so many rows on, networks are kept smaller
_MANY, _WIDE = 2_000, 100  # from so many rows or features on, RealMLP comes first
_KEPT, _KEPT_NUMBERS = 4000, 1_000_000  # rows that a kernel compares with, and their features in all
_ONE_HOT = 64  # codes of a column that a kernel compares one by one; more are projected at random
_SCHEDULED = 0.5  # of the time left, for a training that is made to fit its time
_EPOCHS = 128  # of RealMLP: half of what its authors take, for half the time


def candidates(facts: DataFacts, _seconds: float = math.inf) -> Iterator[Candidate]:
    """The portfolio, however much time there is.

    Args:
        facts: What decides about sizes.
    """
    yield from _portfolio(facts)


def _portfolio(facts: DataFacts) -> Iterator[Candidate]:
    """A linear model and trees, which take seconds, then RealMLP and TabM-mini in several sizes."""
    tasks, categories = facts.tasks, facts.categories
    most, bins = facts.most_units, facts.bins
    tabm = partial(tabm_mini, tasks=tasks, categories=categories, width=facts.width)
    real = realmlp(tasks=tasks, categories=categories, units=_layers(facts))
    usual = _realmlp_settings(facts)
    yield Candidate("linear", linear(tasks=tasks, categories=categories), _settings(facts, 1e-2, patience=8))
    if facts.rows <= _KEPT and not facts.vocabularies:  # texts have a kernel of their own
        yield _kernel(facts)
    boosted, extra, small_ones = trees(facts)
    yield from (boosted, extra)
    strong = [
        Candidate("realmlp", real, usual, _SCHEDULED),
        Candidate(
            "tabm_mini",
            tabm(bins=bins, units=min(128 if facts.rows > _LARGE else 192, most)),
            _settings(facts, 2e-3),
        ),
    ]
    # TabM is the better one on few rows; on many, or of many features each of which it embeds, RealMLP learns
    # far more in the same time.
    first, second = strong if facts.rows > _MANY or facts.plain > _WIDE else reversed(strong)
    yield from (first, small_ones, second)
    yield Candidate("realmlp_slow", real, replace(usual, learning_rate=usual.learning_rate / 4), _SCHEDULED)
    small = tabm(bins=max(4, bins // 3), units=min(96, most), blocks=3, dropout=0.0)
    yield Candidate("tabm_mini_small", small, _settings(facts, 2e-3))
    perceptron = mlp(tasks=tasks, categories=categories, bins=bins, width=facts.width, units=min(256, most))
    yield Candidate("mlp", perceptron, _settings(facts, 1e-3))


def _kernel(facts: DataFacts) -> Candidate:
    """Kernel ridge regression on all rows, or so many that the network stays small."""
    rows = max(1, min(facts.kept, _KEPT_NUMBERS // facts.features(_ONE_HOT)))
    task = Part(regressor, scores=Part(kernel_scores, rows=rows))
    prestem = Part(prepare, categories=facts.categories, bins=0, one_hot_limit=_ONE_HOT)
    design = Architecture(prestem=prestem, stem=Part(concatenated), tasks=task).with_tasks(*facts.tasks)
    solver = Part(kernel_ridge, rows=rows, categories=facts.categories)
    return Candidate("kernel", design, Settings(), solver=solver)


def space(facts: DataFacts) -> tuple[OpenCandidate, ...]:
    """The portfolio's families with what is open: metaparameters, and the rate and decay of their training.

    RealMLP's rate and decay lie within the search space of TabArena, about the usual ones.
    """
    tasks, categories = facts.tasks, facts.categories
    most, bins, width = facts.most_units, facts.bins, facts.width
    families = {
        "mlp": (mlp, (128, 256, 512), 1e-3),
        "tabm_mini": (
            tabm_mini,
            (64, 96, 128, 192) if facts.rows > _LARGE else (64, 96, 128, 192, 256),
            2e-3,
        ),
    }
    usual = _realmlp_settings(facts)
    rate = usual.learning_rate
    real = realmlp(
        tasks=tasks,
        categories=categories,
        units=_layers(facts),
        dropout=Choice((0.0, 0.15, 0.3), name="dropout"),
        deviation=Between(0.02, 0.5, log=True, name="deviation"),
    )
    found = [
        OpenCandidate(
            Candidate("realmlp", real, usual, _SCHEDULED),
            {
                "learning_rate": Between(0.15 * rate, 2.0 * rate, log=True),
                "weight_decay": Between(1e-3, 5e-2, log=True),
            },
        )
    ]
    for name, (family, units, usual_rate) in families.items():
        design = family(
            tasks=tasks,
            categories=categories,
            units=_choice("units", *(min(most, count) for count in units)),
            blocks=2,
            dropout=Choice((0.0, 0.1, 0.25), name="dropout"),
            bins=_choice("bins", bins, max(4, bins // 3), max(4, bins // 6)),
            width=_choice("width", width, max(1, width // 2), min(16, 2 * width)),
        )
        open_settings = {
            "learning_rate": Between(5e-4, 5e-3, log=True),
            "weight_decay": Choice((0.0, 3e-4, 3e-2)),
        }
        candidate = Candidate(name, design, _settings(facts, usual_rate))
        found.append(OpenCandidate(candidate, open_settings))
    return (*found, tree_space(facts))


def _choice(name: str, *options: int) -> Choice:
    """One of these numbers, each once."""
    return Choice(tuple(sorted(set(options))), name=name)


def _layers(facts: DataFacts) -> tuple[int, ...]:
    """The widths of RealMLP's layers."""
    return (min(256, facts.most_units), 256, 256)


def _realmlp_settings(facts: DataFacts) -> Settings:
    """RealMLP's recipe; smaller batches where there are few rows, as its authors' own choice is there."""
    batch = 64 if facts.rows <= 1024 else 128 if facts.rows <= 8192 else 256 if facts.rows <= 30_000 else 512
    return recipes.realmlp(facts.problem, epochs=_EPOCHS, batch_size=batch)


def _settings(facts: DataFacts, learning_rate: float, *, patience: int = 10) -> Settings:
    return Settings(learning_rate=learning_rate, batch_size=facts.batch_size, patience=patience)


TABLE = Modality(
    name="table",
    inputs=frozenset({"numbers", "dates", "categories"}),
    columns=frozenset({"number", "category", "boolean", "date"}),
    designs=("table",),
    candidates=candidates,
    space=space,
    settings=usual_settings,
    fit_design=fit_to_table,
    baseline=GRADIENT_BOOSTING,
    check_design=refuse_trees,
    pretexts={"mask": Part(masking), "denoise": Part(number_denoising)},
    readable=frozenset({"linear"}),
)
