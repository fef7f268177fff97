"""Where each raw column lies in the model's inputs, so that one column can be replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from composable.data.encoding import Encoding


@dataclass(frozen=True)
class Slot:
    """A part of an input along its last axis: the index of a number, the ids of a text, an image's channels.

    Attributes:
        column: The raw column that fills it.
        name: Of the input.
        first: Where it begins.
        width: How long it is.
    """

    column: str
    name: str
    first: int
    width: int = 1

    @property
    def part(self) -> slice:
        """Its indices along the last axis."""
        return slice(self.first, self.first + self.width)


Slots = Mapping[str, Sequence[Slot]]
"""By raw column; a column of texts has several."""


def slots_of(encoding: Encoding) -> Slots:
    """The slots of every raw column that the model reads."""
    found: dict[str, list[Slot]] = {}
    for slot in _each(encoding):
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


def _each(encoding: Encoding) -> Iterator[Slot]:
    for index, number in enumerate(encoding.numbers):
        yield Slot(number.column, "numbers", index)
    for index, name in enumerate(encoding.dates):
        yield Slot(name, "dates", index)
    for index, table in enumerate(encoding.categories):
        yield Slot(table.column, "categories", index)
    first = dict.fromkeys(encoding.widths, 0)
    for text in encoding.texts:
        for name, width in text.widths.items():
            yield Slot(text.column, name, first[name], width)
            first[name] += width
    for index, image in enumerate(encoding.images):
        yield Slot(image.column, "images", index * image.channels, image.channels)
