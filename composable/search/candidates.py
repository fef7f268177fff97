"""The networks worth trying on a table, cheapest first, at sizes that fit the rows and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from composable.design import Part
from composable.design.tasks import binary_classifier, classifier, multi_label_classifier, regressor
from composable.engine.train import Settings
from composable.problem.problem import Head, Problem
from composable.training.rotating import Candidate
from composable.zoo.linear import linear
from composable.zoo.mlp import mlp
from composable.zoo.tabm import tabm_mini

_WIDE = 100  # from so many numbers on, embeddings and bins are kept small
_LARGE = 20_000


def candidates(
    problem: Problem,
    *,
    rows: int,
    widths: Mapping[str, int],
    categories: tuple[int, ...],
    max_epochs: int | None = None,
) -> list[Candidate]:
    """Linear model, MLP and TabM-mini, then TabM-mini and MLP again at other sizes and rates.

    Args:
        problem: One task per head.
        rows: The number of rows to learn from.
        widths: Of the model's inputs.
        categories: The number of codes of each category column.
        max_epochs: Of each training; None for as many as it takes.

    Returns:
        Candidates in the order in which to train them; the first takes a second or two.
    """
    tasks = tuple(_task(head) for head in problem.heads)
    numbers = widths.get("numbers", 0) + 7 * widths.get("dates", 0)
    bins, width = (48, 8) if numbers <= _WIDE else (16, 4)
    batch = 32 if rows <= 1500 else 128 if rows <= 4000 else 256
    units = 128 if rows > _LARGE else 192
    shape = {"categories": categories, "bins": bins, "width": width}
    found = [
        Candidate("linear", linear(tasks, categories=categories), _settings(1e-2, batch, patience=8)),
        Candidate("mlp", mlp(tasks, **shape), _settings(1e-3, batch, patience=10)),
        Candidate("tabm_mini", tabm_mini(tasks, units=units, **shape), _settings(2e-3, batch, patience=10)),
        Candidate("mlp_deep", mlp(tasks, units=384, blocks=3, dropout=0.25, **shape), _settings(5e-4, batch, patience=10)),
        Candidate(
            "tabm_mini_small",
            tabm_mini(tasks, count=16, units=96, blocks=3, dropout=0.0, **(shape | {"bins": max(8, bins // 3)})),
            _settings(2e-3, batch, patience=10),
        ),
    ]
    if max_epochs is None:
        return found
    return [replace(c, settings=replace(c.settings, epochs=max_epochs)) for c in found]


def _settings(learning_rate: float, batch_size: int, *, patience: int) -> Settings:
    return Settings(learning_rate=learning_rate, batch_size=batch_size, patience=patience)


def _task(head: Head) -> Part:
    match head.kind:
        case "regression":
            return Part(regressor)
        case "binary":
            return Part(binary_classifier)
        case "multiclass":
            return Part(classifier, classes=len(head.labels))
    return Part(multi_label_classifier, labels=len(head.targets))
