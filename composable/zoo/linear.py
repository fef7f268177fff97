"""A linear model: the least a network can be, and often hard to beat on few rows."""

from __future__ import annotations

from composable.design import Architecture, Part
from composable.design.prestems import prepare
from composable.design.stems import concatenated


def linear(tasks: tuple[Part, ...], *, categories: tuple[int, ...] = ()) -> Architecture:
    """Each head a weighted sum of the clean features."""
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=0),
        stem=Part(concatenated),
        learner=(),
        tasks=tasks,
    )
