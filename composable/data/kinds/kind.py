"""What a kind of input is: how its columns are learned from, encoded and described.

A kind is one file beside this one. It makes a block of each column that it reads; `composable.data.encoding`
puts the blocks side by side, and everything that follows loops over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from composable.data.frames import column_of
from composable.data.parse import parse_categories
from composable.data.recognize import Finding, RawColumn
from composable.data.schema import Column, Kind, Notice
from composable.data.table import Source, Table

Meaning = Literal["amounts", "codes", "ids", "levels"]


@dataclass(frozen=True)
class ModelInput:
    """What a block puts into one of the model's inputs; several blocks lie side by side along its last axis.

    Attributes:
        name: The model's input.
        shape: The shape of one row's values.
        dtype: Their type.
        meaning: Amounts are floats with NaN where there is no value; codes count the categories of a column;
            ids count the entries of a vocabulary, with 0 where there is nothing more; levels are those of
            pixels.
        size: The number of codes, or of the ids that are the block's own: those of the next block follow.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    meaning: Meaning
    size: int = 0


@dataclass(frozen=True, eq=False)
class Cells:
    """The raw cells of one column of a schema.

    Attributes:
        column: What the values are.
        frame: The columns of the table that hold them.
        source: Where the things are that the cells name; None where the cells are the values themselves.
        origin: The file, for errors.
        strict: Whether a cell that can't be read is an error (prediction) or a missing value (training).
    """

    column: Column
    frame: pd.DataFrame
    source: Source | None = None
    origin: str = ""
    strict: bool = False

    @property
    def values(self) -> pd.Series:
        """The cells of a column that is one column of the table."""
        return column_of(self.frame, self.column.name)


def categories_of(cells: Cells) -> pd.Series:
    """The cells as texts."""
    return parse_categories(cells.values, cells.column)


class Block(Protocol):
    """A fitted column: how its raw cells become values of the model's inputs."""

    @property
    def kind(self) -> str:
        """The name of its kind."""
        ...

    @property
    def column(self) -> str:
        """The name of its column in the schema."""
        ...

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """What it puts into which of the model's inputs."""
        ...

    def encode(self, cells: Cells) -> dict[str, np.ndarray]:
        """The values by the name of the model's input, each of shape (rows, *shape)."""
        ...

    def golden(self, column: Column, rows: int, random: np.random.Generator) -> pd.Series | np.ndarray:
        """Raw cells that try every branch: known, respelled, unseen and missing values, far-out numbers.

        Of the last three rows everything is missing, unseen or out of range, and farther yet.
        """
        ...


@dataclass(frozen=True, eq=False)
class Tabular:
    """What models that aren't networks learn from: one number per row and feature.

    Attributes:
        learned: Those of the rows to learn from, (rows, features) of float32.
        query: Those of the rows to predict.
        categorical: Whether the numbers are codes.
    """

    learned: np.ndarray
    query: np.ndarray
    categorical: bool = False


@dataclass(frozen=True)
class InputKind:
    """A kind of input.

    Attributes:
        name: The kind.
        reads: The kinds of columns of a schema that it makes blocks of.
        recognize: What a column is, where it is of this kind; None where it isn't.
        fit: The block of a column, learned from the cells of the training rows; None where it declines.
        describe: The entries of `profile.json` about a column's values.
        known: The blocks to use where a trained network knows the second ones and the first were found; None
            where it can't take such rows.
        tabular: The model's inputs of this kind as a table; takes those of the rows to learn from and of the
            rows to predict, and gives None where there are none.
        nearly: What the user should know of a column that isn't of this kind but nearly.
        groups: Columns of a table that together are one of this kind, each named in the `members` of what is
            found; takes the table and the names of the columns that may be.
        arrays: The things that arrays of more than two axes hold, one for each row, which cells then name as
            "x_train/17"; None where they aren't of this kind. Takes the arrays of one column by name, and the
            origin.
        parse: The cells as typed values, with NaN or NA where there is none.
        is_ordered: Whether rows can be put in order by the values, as for a split by time.
        is_costly: Whether rows take long to encode and to learn from.
        is_unique: Whether rows with the same value are copies of one row, never alike by chance.
        can_be_target: Whether such a column can be what is predicted.
    """

    name: str
    reads: tuple[Kind, ...]
    recognize: Callable[[RawColumn], Finding | None]
    fit: Callable[[Cells], Block | None]
    describe: Callable[[Cells], dict[str, Any]]
    known: Callable[[tuple[Any, ...], tuple[Any, ...]], tuple[Any, ...] | None]
    training_notices: Callable[[Any, Mapping[str, np.ndarray]], Iterator[Notice]] | None = None
    query_notices: Callable[[Any, Mapping[str, np.ndarray]], Iterator[Notice]] | None = None
    tabular: Callable[[Mapping[str, np.ndarray], Mapping[str, np.ndarray]], Tabular | None] | None = None
    nearly: Callable[[RawColumn], tuple[Notice, ...]] | None = None
    groups: Callable[[Table, Sequence[str]], Iterator[Finding]] | None = None
    arrays: Callable[[Mapping[str, np.ndarray], str], Source | None] | None = None
    parse: Callable[[Cells], np.ndarray | pd.Series] = categories_of
    is_ordered: bool = False
    is_costly: bool = False
    is_unique: bool = False
    can_be_target: bool = False


def known_columns(found: tuple[Any, ...], known: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The blocks that a trained network knows, where they are of the same columns."""
    return known if {block.column for block in found} == {block.column for block in known} else None


def as_they_are(
    name: str, learned: Mapping[str, np.ndarray], query: Mapping[str, np.ndarray]
) -> Tabular | None:
    """An input that is a table already."""
    return Tabular(learned[name], query[name]) if name in learned else None


def gaps(rows: int, random: np.random.Generator) -> np.ndarray:
    """Which golden rows have no value: one in ten."""
    return random.random(rows) < 0.1
