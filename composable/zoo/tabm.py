"""TabM and TabM-mini: one network that is an ensemble of members.

Gorishniy, Kotelnikov & Babenko 2025, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
Ensembling", arXiv:2410.24210, sections 3.2-3.4.
"""

from __future__ import annotations

from typing import Any

from keras import initializers, layers

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate, checked
from composable.design.stems import piecewise_linear
from composable.design.tables import prepare
from composable.design.tasks import regressor

MEMBERS = 16  # the paper's default is 32
_UNITS = Choice((64, 128, 256, 512), name="units")
_DROPOUT = Between(0.0, 0.5, name="dropout")


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
def ensembled_block(x: Any, *, units: Count, dropout: Rate = 0.1) -> Any:
    """BatchEnsemble: shared weights, factors and biases of every member's own on what comes out; ReLU."""
    members = int(x.shape[1])
    x = layers.Dense(units, use_bias=False, kernel_initializer="he_normal")(x)
    own = layers.EinsumDense("bkd,kd->bkd", (members, units), bias_axes="kd", kernel_initializer="ones")
    x = layers.ReLU()(own(x))
    return layers.Dropout(dropout, noise_shape=(None, 1, units))(x) if dropout else x


@component
def adapted(x: Any) -> Any:
    """Factors of every member's own on what goes into the next block; all begin as one."""
    members, features = x.shape[1:]
    return layers.EinsumDense("bkd,kd->bkd", (members, features), kernel_initializer="ones")(x)


@component
def apart(x: Any) -> Any:
    """The members' vectors as they are, shape (rows, members, features): each is scored on its own."""
    return x


@component
def member_scores(x: Any, *, units: Count, name: str) -> Any:
    """Weighted sums with weights of its own for every member, shape (rows, members, units)."""
    count = int(x.shape[1])
    return layers.EinsumDense("bkd,kdo->bko", (count, units), bias_axes="ko", name=name)(x)


@checked
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


@checked
def tabm_mini_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """Width, depth and embeddings."""
    block = Part(shared_block, units=_UNITS, dropout=_DROPOUT)
    return _members_of(categories, Part(members, count=MEMBERS), _depths((block,)), tasks)


@checked
def tabm(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    count: Count | Open = 32,
    units: Count | Open = 512,
    blocks: Count = 3,
    dropout: Rate | Open = 0.1,
    bins: int | Open = 0,
) -> Architecture:
    """The full TabM: every layer has factors of the members' own before and after the shared weights.

    The first factors are normal, as the paper has them with embeddings; without, it draws signs.

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
        count: Of the members.
        units: Of every block.
        blocks: How many; the paper takes 2 with embeddings.
        dropout: After every block.
        bins: Quantile bins per number, 48 in the paper's variant with embeddings; 0 for none.
    """
    block = Part(ensembled_block, units=units, dropout=dropout)
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=bins),
        stem=Part(piecewise_linear, width=16),
        learner=(Part(members, count=count), block, *((Part(adapted), block) for _ in range(blocks - 1))),
        tasks=Part(regressor, pool=Part(apart), scores=Part(member_scores)),
    ).with_tasks(*tasks)


@checked
def tabm_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """Width, depth and embeddings, and how many members there are."""
    block = Part(ensembled_block, units=_UNITS, dropout=_DROPOUT)
    first = Part(members, count=Choice((8, 16, 32)))
    return _members_of(categories, first, _depths((block,), (Part(adapted), block)), tasks)


def _depths(first: tuple[Part, ...], more: tuple[Part, ...] | None = None) -> Choice:
    """One to four blocks; `more` is what each but the first consists of."""
    return Choice(tuple((*first, *((more or first) * blocks)) for blocks in range(4)), name="blocks")


def _members_of(
    categories: tuple[int, ...], first: Part, blocks: Choice, tasks: tuple[Part | Task, ...]
) -> Architecture:
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=Choice((0, 8, 16, 48))),
        stem=Part(piecewise_linear, width=Choice((8, 16, 24))),
        learner=(first, blocks),
        tasks=Part(regressor, pool=Part(apart), scores=Part(member_scores)),
    ).with_tasks(*tasks)
