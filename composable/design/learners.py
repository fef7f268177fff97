"""Learners: groups of blocks."""

from __future__ import annotations

from typing import Any

from composable.design.metaparameters import Count
from composable.design.part import Component, component


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
