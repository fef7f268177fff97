"""Dense networks for tables: linear models, perceptrons with embeddings of the numbers, residual blocks.

A linear model is the least a network can be, and often hard to beat on few rows: each head is a weighted sum
of the scaled numbers and the one-hot categories, which is linear and logistic regression.

The embeddings are piecewise linear: Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular
Deep Learning", arXiv:2203.05556. ResNet for tables: Gorishniy et al. 2021, "Revisiting Deep Learning Models
for Tabular Data", arXiv:2106.11959, section 3.2.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.layers import norm
from composable.design.metaparameters import Count, Rate, checked
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


@component
def dense_residual(x: Any, *, expansion: Count = 2, dropout: Rate = 0.3, residual_dropout: Rate = 0.0) -> Any:
    """Batch normalization, dense and ReLU, dropout, dense, dropout; added."""
    width = int(x.shape[-1])
    y = norm(x)
    y = layers.Dense(width * expansion, activation="relu", kernel_initializer="he_normal")(y)
    y = layers.Dropout(dropout)(y) if dropout else y
    y = layers.Dense(width)(y)
    y = layers.Dropout(residual_dropout)(y) if residual_dropout else y
    return layers.Add()([x, y])


@component
def activated(x: Any) -> Any:
    """Batch normalization and ReLU, which the blocks leave to the end."""
    return norm(x, "relu")


@checked
def resnet_table(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    width: Count | Open = 192,
    blocks: Count = 2,
    expansion: Count | Open = 2,
    dropout: Rate | Open = 0.3,
    residual_dropout: Rate | Open = 0.0,
) -> Architecture:
    """A dense layer, then residual blocks.

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
        width: Of what the blocks add to.
        blocks: How many.
        expansion: Of the width within a block.
        dropout: Within a block.
        residual_dropout: Of what a block adds.
    """
    block = Part(dense_residual, expansion=expansion, dropout=dropout, residual_dropout=residual_dropout)
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=0),
        stem=(Part(concatenated), Part(layers.Dense, units=width)),
        learner=(block,) * blocks,
        tasks=Part(regressor, pool=Part(activated)),
    ).with_tasks(*tasks)


@checked
def resnet_table_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """The paper's ranges, for up to four blocks, all alike."""
    block = Part(
        dense_residual,
        expansion=Between(1, 4, name="expansion"),
        dropout=Between(0.0, 0.5, name="dropout"),
        residual_dropout=Choice((0.0, 0.1, 0.25, 0.5), name="residual_dropout"),
    )
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=0),
        stem=(Part(concatenated), Part(layers.Dense, units=Between(64, 512, log=True))),
        learner=Choice(tuple((block,) * blocks for blocks in range(1, 5))),
        tasks=Part(regressor, pool=Part(activated)),
    ).with_tasks(*tasks)
