"""TCN: dilated causal convolutions, which see far back in few layers.

Bai, Kolter & Koltun 2018, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for
Sequence Modeling", arXiv:1803.01271, figure 1. Its weight normalization is left out: it changes the path of
the optimizer (and adds a number per filter), not what the network can compute.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.series import as_steps, last_step, like
from composable.design.tasks import classifier


@component
def residual(x: Any, *, filters: Count, kernel_size: Count, dilation: Count, dropout: Rate = 0.0) -> Any:
    """Two dilated causal convolutions added to what comes in (figure 1b)."""
    shortcut, _ = as_steps(x)
    values = shortcut
    if shortcut.shape[-1] != filters:
        shortcut = layers.Conv1D(filters, 1, kernel_initializer=INITIALIZER)(shortcut)
    for _ in range(2):
        values = layers.Conv1D(
            filters,
            kernel_size,
            padding="causal",
            dilation_rate=dilation,
            activation="relu",
            kernel_initializer=INITIALIZER,
        )(values)
        values = layers.SpatialDropout1D(dropout)(values) if dropout else values
    return like(x, layers.ReLU()(layers.Add()([shortcut, values])))


@checked
def tcn(
    *,
    classes: Count = 10,
    blocks: Count = 8,
    filters: Count | Open = 25,
    kernel_size: Count | Open = 7,
    dropout: Rate | Open = 0.0,
) -> Architecture:
    """Blocks that look back twice as far each: 1 + 2 (kernel_size - 1) (2^blocks - 1) steps in all.

    Args:
        classes: How many there are.
        blocks: How many.
        filters: Of every convolution.
        kernel_size: Steps that a convolution sees.
        dropout: Of whole channels, after every convolution.
    """
    return Architecture(
        learner=tuple(
            Part(residual, filters=filters, kernel_size=kernel_size, dilation=2**number, dropout=dropout)
            for number in range(blocks)
        ),
        tasks=Part(classifier, classes=classes, pool=Part(last_step)),
    )


@checked
def tcn_space(*, classes: Count = 10) -> Architecture:
    """How far back it sees, and how much of it."""
    steps = {
        "filters": Choice((16, 25, 64, 128), name="filters"),
        "kernel_size": Between(2, 8, name="kernel_size"),
        "dropout": Between(0.0, 0.5, name="dropout"),
    }
    depths = tuple(
        tuple(Part(residual, dilation=2**number, **steps) for number in range(blocks))
        for blocks in (2, 4, 6, 8)
    )
    return Architecture(learner=Choice(depths), tasks=Part(classifier, classes=classes, pool=Part(last_step)))
