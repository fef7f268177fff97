"""TabM-mini: one network that is an ensemble of members.

Gorishniy, Kotelnikov & Babenko 2025, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
Ensembling", arXiv:2410.24210, sections 3.2-3.4.
"""

from __future__ import annotations

from typing import Any

from keras import initializers, layers

from composable.design import Architecture, Choice, Part, component
from composable.design.prestems import prepare
from composable.design.stems import piecewise_linear

MEMBERS = 16  # the paper's default is 32


@component
def members(x: Any, *, count: int) -> Any:
    """Each member sees the features times random factors of its own, which alone tell it from the others.

    Returns:
        Shape (rows, count, features).
    """
    features = int(x.shape[-1])
    factors: Any = initializers.RandomNormal(stddev=1.0)  # Keras's annotation admits names alone
    return layers.EinsumDense(
        "bd,kd->bkd",
        (count, features),
        kernel_initializer=factors,
        name="members",
    )(x)


@component
def shared_block(x: Any, *, units: int, dropout: float = 0.1) -> Any:
    """Dense and ReLU; the members share the weights and, to save random numbers, the dropout mask."""
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
    return layers.Dropout(dropout, noise_shape=(None, 1, units))(x) if dropout else x


def tabm_mini(
    tasks: tuple[Part, ...],
    *,
    categories: tuple[int, ...] = (),
    units: int | Choice = 256,
    blocks: int = 2,
    dropout: float | Choice = 0.1,
    bins: int | Choice = 48,
    width: int | Choice = 8,
) -> Architecture:
    """Embeddings, the members, `blocks` shared blocks, a head for each member; predictions averaged."""
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=bins),
        stem=Part(piecewise_linear, width=width),
        learner=(
            Part(members, count=MEMBERS),
            *(Part(shared_block, units=units, dropout=dropout) for _ in range(blocks)),
        ),
        tasks=tasks,
    )
