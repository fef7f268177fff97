"""Where each raw column lies in the model's inputs, so that one column can be replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from composable.data.encoding import Encoding, Slot

Slots = Mapping[str, Sequence[Slot]]
"""By raw column; a column of texts has several."""


def slots_of(encoding: Encoding) -> Slots:
    """The slots of every raw column that the model reads."""
    found: dict[str, list[Slot]] = {}
    for slot, _ in encoding.slots:
        found.setdefault(slot.column, []).append(slot)
    return found


def with_column(
    inputs: Mapping[str, np.ndarray], slots: Sequence[Slot], others: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The inputs with one raw column's slots taken from as many other rows."""
    replaced = dict(inputs)
    for slot in slots:
        if replaced[slot.name] is inputs[slot.name]:
            replaced[slot.name] = inputs[slot.name].copy()
        replaced[slot.name][..., slot.part] = others[slot.name][..., slot.part]
    return replaced
