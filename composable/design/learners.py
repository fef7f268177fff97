"""Learners: groups of blocks."""

from __future__ import annotations

from typing import Any

from composable.design.choice import Open
from composable.design.metaparameters import Count, paired
from composable.design.part import Component, Part, component


@component
def group(x: Any, *, block: Component, blocks: Count, filters: Count, strides: Count = 2) -> Any:
    """A block and its repetitions; the first one strides.

    Args:
        x: Feature maps.
        block: Takes `filters` and `strides`.
        blocks: How many.
        filters: What every block is given.
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
