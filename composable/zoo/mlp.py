"""Multilayer perceptron with piecewise-linear embeddings of the numbers.

Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", arXiv:2203.05556.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design import Architecture, Choice, Part, component
from composable.design.prestems import prepare
from composable.design.stems import piecewise_linear


@component
def dense_block(x: Any, *, units: int, dropout: float = 0.1) -> Any:
    """Dense, ReLU, dropout."""
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
    return layers.Dropout(dropout)(x) if dropout else x


def mlp(
    tasks: tuple[Part, ...],
    *,
    categories: tuple[int, ...] = (),
    units: int | Choice = 256,
    blocks: int = 2,
    dropout: float | Choice = 0.1,
    bins: int | Choice = 48,
    width: int | Choice = 8,
) -> Architecture:
    """Embeddings, then `blocks` dense blocks of `units`."""
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=bins),
        stem=Part(piecewise_linear, width=width, activation="relu"),
        learner=tuple(Part(dense_block, units=units, dropout=dropout) for _ in range(blocks)),
        tasks=tasks,
    )
