"""Convolutions over series: TCN, whose causal ones see far back, and InceptionTime, of three lengths at once.

Bai, Kolter & Koltun 2018, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for
Sequence Modeling", arXiv:1803.01271, figure 1. Its weight normalization is left out: it changes the path of
the optimizer (and adds a number per filter), not what the network can compute.

Ismail Fawaz et al. 2020, "InceptionTime: Finding AlexNet for Time Series Classification", arXiv:1909.04939,
figures 1 and 2, and the authors' code. This is one member; the paper averages five that differ in how they
begin.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.part import Component
from composable.design.series import as_steps, last_step, like, mean_of_steps, step_mask
from composable.design.tasks import classifier


@component
def causal_block(x: Any, *, filters: Count, kernel_size: Count, dilation: Count, dropout: Rate = 0.0) -> Any:
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
            Part(causal_block, filters=filters, kernel_size=kernel_size, dilation=2**number, dropout=dropout)
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
        tuple(Part(causal_block, dilation=2**number, **steps) for number in range(blocks))
        for blocks in (2, 4, 6, 8)
    )
    return Architecture(learner=Choice(depths), tasks=Part(classifier, classes=classes, pool=Part(last_step)))


_LOWEST = -1e9  # in place of padding, where a maximum is taken


@component
def module(x: Any, *, filters: Count = 32, kernel_size: Count = 40, bottleneck: Count = 32) -> Any:
    """Kernels of full, half and quarter length on a bottleneck, and the maximum of three steps (figure 2)."""
    values, _ = as_steps(x)
    narrow = values
    if values.shape[-1] > 1:
        narrow = layers.Conv1D(bottleneck, 1, use_bias=False)(values)
    sizes = [max(1, kernel_size // 2**number) for number in range(3)]
    branches = [layers.Conv1D(filters, size, padding="same", use_bias=False)(narrow) for size in sizes]
    branches.append(layers.Conv1D(filters, 1, use_bias=False)(_highest_of_three(x)))
    normalized = layers.BatchNormalization()(layers.Concatenate()(branches), mask=step_mask(x))
    return like(x, layers.Activation("relu")(normalized))


@component
def residual(x: Any, *, module: Component, modules: Count = 3) -> Any:
    """Modules in a row, added to what comes in (figure 1)."""
    y = x
    for _ in range(modules):
        y = module(y)
    values, shortcut = as_steps(y)[0], as_steps(x)[0]
    shortcut = layers.Conv1D(values.shape[-1], 1, use_bias=False)(shortcut)
    shortcut = layers.BatchNormalization()(shortcut, mask=step_mask(x))
    return like(x, layers.Activation("relu")(layers.Add()([shortcut, values])))


def _highest_of_three(x: Any) -> Any:
    """Of each step and the two beside it; padding doesn't count."""
    values, there = as_steps(x)
    if there is not None:
        values = ops.where(ops.greater(there, 0.5), values, _LOWEST)
    padded: Any = ops.pad(values, ((0, 0), (1, 1), (0, 0)), constant_values=_LOWEST)
    highest = ops.maximum(ops.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    return highest if there is None else highest * there


@checked
def inception_time(
    *,
    classes: Count = 2,
    blocks: Count = 2,
    filters: Count | Open = 32,
    kernel_size: Count | Open = 40,
    bottleneck: Count | Open = 32,
) -> Architecture:
    """Residual blocks of three modules each: six modules by default.

    Args:
        classes: To tell apart.
        blocks: How many.
        filters: Of every branch.
        kernel_size: Of the longest convolution, in steps.
        bottleneck: Channels that the convolutions see.
    """
    block = Part(
        residual, module=Part(module, filters=filters, kernel_size=kernel_size, bottleneck=bottleneck)
    )
    return Architecture(
        learner=(block,) * blocks,
        tasks=Part(classifier, classes=classes, pool=Part(mean_of_steps)),
    )


@checked
def inception_time_space(*, classes: Count = 2) -> Architecture:
    """Depth, width, and how far a convolution sees."""
    one = Part(
        residual,
        module=Part(
            module,
            filters=Choice((16, 32, 64), name="filters"),
            kernel_size=Choice((8, 20, 40, 64), name="kernel_size"),
        ),
    )
    return Architecture(
        learner=Choice(((one,), (one, one), (one, one, one))),
        tasks=Part(classifier, classes=classes, pool=Part(mean_of_steps)),
    )
