"""How raw rows become the model's inputs: the blocks of all columns side by side, and nothing else.

The model takes some of these inputs: `numbers` (float, NaN = missing), `dates` (float days since
2000-01-01), `categories` (integer codes), of texts `words`, `ngrams` and `characters` (integer ids, 0 =
nothing more), and `images` (levels from 0 to 255; of several columns one behind the other, as channels). All
that is numeric happens within the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.frames import room
from composable.data.kinds import KINDS, AnyBlock, kind_of
from composable.data.kinds.kind import Cells, ModelInput
from composable.data.names import listed
from composable.data.schema import FIRST, Notice, Schema
from composable.data.table import Source

_NONE: Mapping[str, Source] = MappingProxyType({})
_BlockType = TypeVar("_BlockType")


@dataclass(frozen=True)
class Slot:
    """A part of a model's input along its last axis: a number, the ids of a text, an image's channels.

    Attributes:
        column: The column of the schema that fills it.
        name: The model's input.
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

    def of(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The part of these inputs, a view."""
        return inputs[self.name][..., self.part]


@dataclass(frozen=True)
class Encoding:
    """How raw rows become the model's inputs; fitted on training rows alone."""

    blocks: tuple[AnyBlock, ...] = ()

    def of(self, kind: type[_BlockType]) -> tuple[_BlockType, ...]:
        """The blocks of one kind."""
        return tuple(block for block in self.blocks if isinstance(block, kind))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the schema that the model needs."""
        return tuple(dict.fromkeys(block.column for block in self.blocks))

    @property
    def slots(self) -> Iterator[tuple[Slot, ModelInput]]:
        """Where each block lies in the model's inputs, and what it puts there, in the order of the blocks."""
        return chain.from_iterable(zip(slots, block.inputs, strict=True) for block, slots in self.block_slots)

    @property
    def block_slots(self) -> Iterator[tuple[AnyBlock, tuple[Slot, ...]]]:
        """Each block, and where its `inputs` lie in the model's inputs."""
        ends: dict[str, int] = {}
        for block in self.blocks:
            slots = tuple(
                Slot(block.column, one.name, ends.get(one.name, 0), one.shape[-1]) for one in block.inputs
            )
            ends |= {slot.name: slot.first + slot.width for slot in slots}
            yield block, slots

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each model input that is there, for one row."""
        return {one.name: (*one.shape[:-1], slot.first + slot.width) for slot, one in self.slots}

    @property
    def widths(self) -> dict[str, int]:
        """The width of each model input that is there and one vector per row."""
        return {name: shape[0] for name, shape in self.shapes.items() if len(shape) == 1}

    @property
    def dtypes(self) -> dict[str, str]:
        """The type of each model input that is there."""
        return {one.name: one.dtype for _, one in self.slots}

    @property
    def categories(self) -> tuple[int, ...]:
        """The number of codes of each column of categories, the unknown and the missing one included."""
        return tuple(one.size for _, one in self.slots if one.meaning == "codes")

    @property
    def vocabularies(self) -> dict[str, int]:
        """How many ids there are for each input of ids that is there, those below `FIRST` included."""
        sizes: dict[str, int] = {}
        for _, one in self.slots:
            if one.meaning == "ids":
                sizes[one.name] = sizes.get(one.name, FIRST) + one.size
        return sizes

    def replaced(self, blocks: Sequence[AnyBlock]) -> Encoding:
        """The encoding with these blocks instead of those of the same columns and kinds."""
        new = {(block.kind, block.column): block for block in blocks}
        return replace(self, blocks=tuple(new.get((b.kind, b.column), b) for b in self.blocks))


def fit_encoding(
    frame: pd.DataFrame,
    schema: Schema,
    rows: Sequence[int] | np.ndarray | None = None,
    *,
    sources: Mapping[str, Source] = _NONE,
) -> Encoding:
    """Fit the blocks on the training rows alone.

    Args:
        frame: As in `Table.frame`.
        schema: Its schema; only the features are encoded.
        rows: The training rows' positions, or a mask over all rows; None takes every row.
        sources: As in `Table.sources`.
    """
    train = frame if rows is None else frame.iloc[np.asarray(rows)]
    cells = [Cells(column, train, sources.get(column.name)) for column in schema.features]
    found = (kind.fit(each) for kind in KINDS for each in cells if each.column.kind in kind.reads)
    return Encoding(cast("tuple[AnyBlock, ...]", tuple(block for block in found if block is not None)))


def encode(
    frame: pd.DataFrame,
    schema: Schema,
    encoding: Encoding,
    *,
    sources: Mapping[str, Source] = _NONE,
    origin: str = "",
    strict: bool = False,
) -> dict[str, np.ndarray]:
    """Raw rows to the model's inputs: those in `encoding.shapes`, each of shape (rows, *shape).

    Args:
        frame: Raw rows; columns in any order, others than the encoding's are ignored.
        schema: What the columns are.
        encoding: The fitted blocks.
        sources: As in `Table.sources`.
        origin: The file, for errors.
        strict: Whether a cell that can't be read is an error (prediction) or a missing value (training).

    Returns:
        `numbers` and `dates` as float32 (finite, or NaN = missing), `categories` and ids of texts as int32,
        `images` (rows, height, width, channels) as uint8.

    Raises:
        DataError: If columns are missing (all are named), an image can't be read, or, if `strict`, a cell.
    """
    columns = {column.name: column for column in schema.columns}
    needed = (name for column in encoding.columns for name in columns[column].table_columns)
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise DataError(
            "The rows need every column that the model was trained on.",
            received=f"{origin or 'the data'} lacks {listed(missing, 50)}",
            remedy="add them; a column may be empty, its values then count as missing",
        )
    shapes, dtypes, sizes = encoding.shapes, encoding.dtypes, dict[str, int]()
    inputs: dict[str, np.ndarray] = {}
    for block, slots in encoding.block_slots:
        cells = Cells(columns[block.column], frame, sources.get(block.column), origin, strict)
        found = block.encode(cells)
        for slot, one in zip(slots, block.inputs, strict=True):
            name, values = slot.name, found[slot.name]
            if one.meaning == "ids":  # the entries of each vocabulary follow those of the one before
                start = sizes.get(name, 0)
                sizes[name] = start + one.size
                values = np.where(values >= FIRST, values + start, values) if start else values
            if values.shape[1:] == shapes[name]:
                inputs[name] = values
                continue
            if name not in inputs:
                inputs[name] = room((len(frame), *shapes[name]), dtypes[name])
            slot.of(inputs)[...] = values
    return inputs


def training_notices(encoding: Encoding, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """What the user should know about how these training rows are read."""
    for block, slots in encoding.block_slots:
        if (notices := kind_of(block).training_notices) is not None:
            yield from notices(block, {slot.name: slot.of(inputs) for slot in slots})


def query_notices(encoding: Encoding, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """What rows to predict hold that the training rows didn't."""
    for block, slots in encoding.block_slots:
        if (notices := kind_of(block).query_notices) is not None:
            yield from notices(block, {slot.name: slot.of(inputs) for slot in slots})


def known_encoding(found: Encoding, known: Encoding) -> Encoding | None:
    """The encoding that a trained network knows, for rows like those that another was found for.

    None where the network can't take them: other columns, or images where it knows none.
    """
    blocks: list[Any] = []
    for kind in KINDS:
        each = (tuple(b for b in one.blocks if b.kind == kind.name) for one in (found, known))
        own = kind.known(*each)
        if own is None:
            return None
        blocks += own
    return Encoding(tuple(blocks))
