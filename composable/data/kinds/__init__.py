"""The kinds of input there are; whatever depends on the kind of a column loops over these."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from composable.data.kinds.category import CATEGORY, CategoryBlock
from composable.data.kinds.date import DATE, DateBlock
from composable.data.kinds.image import IMAGE, ImageBlock
from composable.data.kinds.kind import InputKind
from composable.data.kinds.number import NUMBER, NumberBlock
from composable.data.kinds.series import SERIES_KIND, SeriesBlock
from composable.data.kinds.text import TEXT, TextBlock
from composable.data.table import Source

AnyBlock = NumberBlock | DateBlock | CategoryBlock | TextBlock | ImageBlock | SeriesBlock
KINDS: tuple[InputKind, ...] = (NUMBER, DATE, CATEGORY, TEXT, IMAGE, SERIES_KIND)
"""In the order in which the model's inputs stand."""


def kind_of(block: AnyBlock) -> InputKind:
    """The kind of a block."""
    return next(kind for kind in KINDS if kind.name == block.kind)


def source_of(arrays: Mapping[str, np.ndarray], origin: str) -> tuple[str, Source] | None:
    """The first kind that takes these arrays of one column, and their source; None where none does."""
    for kind in KINDS:
        if kind.arrays is not None and (source := kind.arrays(arrays, origin)) is not None:
            return kind.name, source
    return None
