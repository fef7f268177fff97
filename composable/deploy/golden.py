"""Rows that try every branch of a bundle: known, respelled, unseen and missing values, far-out numbers.

They are made from the card, so no row of anyone's data has to be kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from composable.core.seeds import derive
from composable.deploy.card import BundleCard

ROWS = 64


def golden_rows(card: BundleCard, *, rows: int = ROWS) -> dict[str, pd.Series | np.ndarray]:
    """Typed cells by column: numbers as float64, dates as datetime64, texts or None, images as arrays.

    The last three rows: everything missing, everything unseen and beyond the ranges, and farther yet.
    """
    columns: dict[str, pd.Series | np.ndarray] = {}
    for block in card.encoding.blocks:
        if block.column not in columns:  # some are read as categories and as texts
            random = np.random.default_rng(derive(0, "golden", block.column))
            column = card.schema.column(block.column)
            made = block.golden(column, rows, random)
            if not column.members:
                columns[block.column] = made
            for index, name in enumerate(column.members):
                columns[name] = pd.Series(made[:, index, 0])
    return columns
