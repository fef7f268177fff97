"""Learners: groups of blocks, with stochastic depth or without, and weights that several tensors share."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate, paired
from composable.design.part import Component, Part, component, shapes


@component
def group(x: Any, *, block: Component, blocks: Count, filters: Count, strides: Count = 2) -> Any:
    """Repeat a block; the first one strides.

    Args:
        x: Feature maps.
        block: Takes `filters` and `strides`.
        blocks: How many.
        filters: Of every block.
        strides: Of the first block; the others have 1.
    """
    for number in range(blocks):
        x = block(x, filters=filters, strides=strides if number == 0 else 1)
    return x


def groups(
    block: Component | Open | tuple[Component, ...],
    *,
    filters: tuple[int, ...],
    blocks: tuple[int, ...],
    strides: tuple[int, ...] | None = None,
    of: Component = group,
) -> tuple[Part, ...]:
    """One group after another; by default each but the first halves the image's sides.

    Args:
        block: Of every group, or one per group.
        filters: Per group.
        blocks: Per group: how many.
        strides: Per group; None for 1, then 2.
        of: The component that a group is.

    Raises:
        ConfigError: If they aren't as many of each.
    """
    each = block if isinstance(block, tuple) else (block,) * len(filters)
    strides = strides or (1, *(2 for _ in filters[1:]))
    return tuple(
        Part(of, block=b, filters=f, blocks=n, strides=s)
        for b, f, n, s in paired(block=each, filters=filters, blocks=blocks, strides=strides)
    )


def drop_branch(x: Any, rate: float) -> Any:
    """Drop the whole branch of a block for some of the rows while training (stochastic depth).

    Huang et al. 2016, "Deep Networks with Stochastic Depth", arXiv:1603.09382.
    """
    if not rate:
        return x
    return layers.Dropout(rate, noise_shape=(None, *(1 for _ in x.shape[1:])))(x)


@component
def stochastic_depth_group(
    x: Any,
    *,
    block: Component,
    blocks: Count,
    filters: Count,
    strides: Count = 2,
    drop_rates: tuple[Rate, Rate] = (0.0, 0.0),
) -> Any:
    """Repeat a block; the first one strides, and each drops its branch more often than the one before.

    Args:
        x: Feature maps.
        block: Takes `filters`, `strides` and `drop_rate`.
        blocks: How many.
        filters: Of every block.
        strides: Of the first block; the others have 1.
        drop_rates: How often the branch of the first block is dropped, and of the last; between them in even
            steps.
    """
    first, last = drop_rates
    step = (last - first) / max(1, blocks - 1)
    for number in range(blocks):
        x = block(x, filters=filters, strides=strides if number == 0 else 1, drop_rate=first + number * step)
    return x


def stochastic_depth_groups(
    block: Component | tuple[Component, ...],
    *,
    filters: tuple[int, ...],
    blocks: tuple[int, ...],
    strides: tuple[int, ...] | None = None,
    step: float,
) -> tuple[Part, ...]:
    """As `groups`, with stochastic depth: each block drops its branch `step` more often than the one before.

    The first block of all never does.

    Raises:
        ConfigError: If they aren't as many of each.
    """
    faded, before = [], 0
    for each in groups(block, filters=filters, blocks=blocks, strides=strides, of=stochastic_depth_group):
        after = before + each.metaparameters["blocks"]
        faded.append(each.replace(drop_rates=(before * step, (after - 1) * step)))
        before = after
    return tuple(faded)


@component
def shared(x: Any, *, part: Component) -> Any:
    """The same layers, with the same weights, over each tensor of a tuple or dict.

    The part becomes a model inside the model, which is called once for each tensor; taps inside it aren't the
    outer model's.

    Args:
        x: Tensors of one shape and type.
        part: What each of them goes through.

    Returns:
        What the part makes of each, in the same tuple or dict.

    Raises:
        ValueError: If `x` is a single tensor, or its tensors differ in shape or type.
    """
    several = isinstance(x, tuple | list | dict)
    tensors = list(x.values() if isinstance(x, dict) else x) if several else []
    if len({(tensor.shape, tensor.dtype) for tensor in tensors}) != 1:
        raise ValueError(f"Weights are shared by several tensors of one shape and type, not by {shapes(x)}.")
    inputs = keras.Input(tensors[0].shape[1:], dtype=tensors[0].dtype)
    trunk = keras.Model(inputs, part(inputs))
    made = [trunk(tensor) for tensor in tensors]
    return dict(zip(x, made, strict=True)) if isinstance(x, dict) else tuple(made)
