"""ResNet for tables: dense blocks that add to what they are given.

Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", arXiv:2106.11959, section 3.2.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.layers import norm
from composable.design.metaparameters import Count, Rate, checked
from composable.design.stems import concatenated
from composable.design.tables import prepare
from composable.design.tasks import regressor


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
