"""Stochastic depth: while training, a row skips the branch of a block at random, in later blocks more often.

Huang et al. 2016, "Deep Networks with Stochastic Depth", arXiv:1603.09382.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design.learners import groups
from composable.design.metaparameters import Count, Rate
from composable.design.part import Component, Part, component


def skipped(x: Any, rate: float) -> Any:
    """The branch of a block, dropped as a whole for some of the rows."""
    if not rate:
        return x
    return layers.Dropout(rate, noise_shape=(None, *(1 for _ in x.shape[1:])))(x)


@component
def fading_group(
    x: Any,
    *,
    block: Component,
    blocks: Count,
    filters: Count,
    strides: Count = 2,
    dropped: tuple[Rate, Rate] = (0.0, 0.0),
) -> Any:
    """A block and its repetitions; the first one strides, and each is skipped more often than the one before.

    Args:
        x: Feature maps.
        block: Takes `filters`, `strides` and `dropped`.
        blocks: How many.
        filters: What every block is given.
        strides: Of the first block; the others have 1.
        dropped: How often the first block is skipped, and the last; those between in even steps.
    """
    first, last = dropped
    step = (last - first) / max(1, blocks - 1)
    for number in range(blocks):
        x = block(x, filters=filters, strides=strides if number == 0 else 1, dropped=first + number * step)
    return x


def fading_groups(
    block: Component | tuple[Component, ...],
    *,
    filters: tuple[int, ...],
    blocks: tuple[int, ...],
    strides: tuple[int, ...] | None = None,
    step: float,
) -> tuple[Part, ...]:
    """As `groups`; the first block of all is never skipped, and each `step` more often than the one before.

    Raises:
        ConfigError: If they aren't as many of each.
    """
    faded, before = [], 0
    for each in groups(block, filters=filters, blocks=blocks, strides=strides, of=fading_group):
        after = before + each.metaparameters["blocks"]
        faded.append(each.replace(dropped=(before * step, (after - 1) * step)))
        before = after
    return tuple(faded)
