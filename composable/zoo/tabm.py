"""TabM-mini: one network that is an ensemble of members.

Gorishniy, Kotelnikov & Babenko 2025, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
Ensembling", arXiv:2410.24210, sections 3.2-3.4.
"""

from __future__ import annotations

from typing import Any

from keras import initializers, layers

from composable.design import Architecture, Part, Task, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate
from composable.design.stems import piecewise_linear
from composable.design.tables import prepare
from composable.design.tasks import regressor

MEMBERS = 16  # the paper's default is 32


@component
def members(x: Any, *, count: Count) -> Any:
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
def shared_block(x: Any, *, units: Count, dropout: Rate = 0.1) -> Any:
    """Dense and ReLU; the members share the weights and, to save random numbers, the dropout mask."""
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
    return layers.Dropout(dropout, noise_shape=(None, 1, units))(x) if dropout else x


@component
def apart(x: Any) -> Any:
    """The members' vectors as they are, shape (rows, members, features): each is scored on its own."""
    return x


@component
def member_scores(x: Any, *, units: Count, name: str) -> Any:
    """Weighted sums with weights of its own for every member, shape (rows, members, units)."""
    count = int(x.shape[1])
    return layers.EinsumDense("bkd,kdo->bko", (count, units), bias_axes="ko", name=name)(x)


def tabm_mini(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    units: Count | Open = 256,
    blocks: Count = 2,
    dropout: Rate | Open = 0.1,
    bins: int | Open = 48,
    width: Count | Open = 8,
) -> Architecture:
    """Embeddings, the members, shared blocks, a head for each member; predictions averaged.

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
        stem=Part(piecewise_linear, width=width),
        learner=(
            Part(members, count=MEMBERS),
            *(Part(shared_block, units=units, dropout=dropout) for _ in range(blocks)),
        ),
        tasks=Part(regressor, pool=Part(apart), scores=Part(member_scores)),
    ).with_tasks(*tasks)
