"""A linear model: the least a network can be, and often hard to beat on few rows.

Each head is a weighted sum of the scaled numbers and the one-hot categories: linear and logistic regression.
"""

from __future__ import annotations

from composable.design import Architecture, Choice, Part, Task
from composable.design.metaparameters import checked
from composable.design.stems import concatenated, piecewise_linear
from composable.design.tables import prepare
from composable.design.tasks import regressor


@checked
def linear(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """Each head a weighted sum of the clean features.

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
    """
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=0), stem=Part(concatenated), tasks=tasks
    )


@checked
def linear_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """Straight lines, or with bins a curve per number and heads that add the curves up."""
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=Choice((0, 4, 16, 48))),
        stem=Part(piecewise_linear, width=1),
        tasks=tasks,
    )
