"""Multilayer perceptron with piecewise-linear embeddings of the numbers.

Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", arXiv:2203.05556.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate, checked
from composable.design.stems import piecewise_linear
from composable.design.tables import prepare
from composable.design.tasks import regressor


@component
def dense_block(x: Any, *, units: Count, dropout: Rate = 0.1) -> Any:
    """Dense, ReLU, dropout."""
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
    return layers.Dropout(dropout)(x) if dropout else x


@checked
def mlp(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    units: Count | Open = 256,
    blocks: Count = 2,
    dropout: Rate | Open = 0.1,
    bins: int | Open = 48,
    width: Count | Open = 8,
) -> Architecture:
    """Embeddings, then dense blocks.

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
        units: Of every block.
        blocks: How many.
        dropout: After every block.
        bins: Quantile bins per number; 0 for no embeddings.
        width: The length of a number's embedding.
    """
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=bins),
        stem=Part(piecewise_linear, width=width, activation="relu"),
        learner=tuple(Part(dense_block, units=units, dropout=dropout) for _ in range(blocks)),
        tasks=tasks,
    )


@checked
def mlp_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """Width, depth and embeddings; all blocks alike."""
    block = Part(
        dense_block,
        units=Choice((64, 128, 256, 512), name="units"),
        dropout=Between(0.0, 0.5, name="dropout"),
    )
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=Choice((0, 8, 16, 48))),
        stem=Part(piecewise_linear, width=Choice((4, 8, 16)), activation=Choice((None, "relu"))),
        learner=Choice(tuple((block,) * blocks for blocks in range(1, 5))),
        tasks=tasks,
    )
