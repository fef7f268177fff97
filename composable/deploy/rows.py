"""What rows to predict hold beside or beyond the training data: other columns, values never seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from composable.data.encoding import UNKNOWN
from composable.data.names import listed, shown
from composable.data.schema import Notice
from composable.data.table import Table
from composable.deploy.card import BundleCard


def noticed(table: Table, inputs: Mapping[str, np.ndarray], card: BundleCard) -> Iterator[Notice]:
    """What the user should know about these rows."""
    known = {column.name for column in card.schema.columns}
    if extra := [name for name in table.frame.columns if name not in known]:
        yield Notice(f"Columns that the model doesn't know were left out: {listed(extra)}.", "warning")
    for position, codes in enumerate(card.encoding.categories):
        unseen = int((inputs["categories"][:, position] == UNKNOWN).sum())
        if unseen:
            share = f"{unseen} of {len(table.frame)} values of {shown(codes.column)}"
            yield Notice(f"{share} are unseen or rare: taken as unknown.", "warning", codes.column)
    for position, number in enumerate(card.encoding.numbers):
        if number.column not in card.ranges:
            continue
        low, high = card.ranges[number.column]
        values = inputs["numbers"][:, position]
        edges = np.float32(low - number.offset), np.float32(high - number.offset)
        outside = int(((values < edges[0]) | (values > edges[1])).sum())
        if outside:
            share = f"{outside} of {len(values)} values of {shown(number.column)}"
            text = f"{share} lie outside the training range {low:g} to {high:g}."
            yield Notice(text, "warning", number.column)
