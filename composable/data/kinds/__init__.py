"""The kinds of input there are; whatever depends on the kind of a column loops over these."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from composable.data.kinds.category import CATEGORY, CategoryBlock
from composable.data.kinds.date import DATE, DateBlock
from composable.data.kinds.image import IMAGE, ImageBlock
from composable.data.kinds.kind import Cells, InputKind
from composable.data.kinds.number import NUMBER, NumberBlock
from composable.data.kinds.series import SERIES_KIND, SeriesBlock
from composable.data.kinds.text import TEXT, TextBlock
from composable.data.schema import Column
from composable.data.table import Source

AnyBlock = NumberBlock | DateBlock | CategoryBlock | TextBlock | ImageBlock | SeriesBlock
KINDS: tuple[InputKind, ...] = (NUMBER, DATE, CATEGORY, TEXT, IMAGE, SERIES_KIND)
"""In the order in which the model's inputs stand."""


def kind_of(block: AnyBlock) -> InputKind:
    """The kind of a block."""
    return next(kind for kind in KINDS if kind.name == block.kind)


def kind_reading(column: Column) -> InputKind | None:
    """The first kind that makes blocks of such a column; None where none does, as of an empty one."""
    return next((kind for kind in KINDS if column.kind in kind.reads), None)


def parsed(cells: Cells) -> np.ndarray | pd.Series:
    """The cells as typed values, as the kind of their column has them; texts where there is no kind."""
    kind = kind_reading(cells.column)
    return (kind or CATEGORY).parse(cells)


def source_of(arrays: Mapping[str, np.ndarray], origin: str) -> tuple[str, Source] | None:
    """The first kind that takes these arrays of one column, and their source; None where none does."""
    for kind in KINDS:
        if kind.arrays is not None and (source := kind.arrays(arrays, origin)) is not None:
            return kind.name, source
    return None
