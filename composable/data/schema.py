"""The schema: what each column is, what it is used for, and why. Editable JSON that wins over inference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "number", "category", "boolean", "date", "text", "image", "series", "identifier", "constant", "empty"
]
Role = Literal["feature", "target", "split", "drop"]

MODEL_KINDS: tuple[Kind, ...] = ("number", "category", "boolean", "date", "text", "image", "series")
SURE_MARKERS = ("?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL")  # "no value", in any column
MISSING_MARKERS = ("", *SURE_MARKERS, "None", "none", "-", "--", ".")  # the others may mean something
SCHEMA_VERSION = 2  # of the format of a schema written as JSON
DATE_ORIGIN = "2000-01-01"  # dates enter the model as days since this day, small enough for float32


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: As in the file's header.
        kind: What the values are.
        role: What the column is used for.
        reason: Why this kind and role were chosen, for the user to check.
        missing: The texts that mean "no value" in this column, beside empty cells.
        date_format: For dates: a `strptime` format, or "ISO8601".
        decimal: For numbers written as text: the decimal separator.
        thousands: For numbers written as text: the separator of thousands, or "".
        members: The columns of the table that together are this one; empty for a column of its own.
        affixes: For numbers written as text: signs such as "€" or "%" that are taken off.
    """

    name: str
    kind: Kind
    role: Role = "feature"
    reason: str = ""
    missing: tuple[str, ...] = ()
    date_format: str = ""
    decimal: str = "."
    thousands: str = ""
    affixes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    @property
    def table_columns(self) -> tuple[str, ...]:
        """The columns of the table that hold its cells."""
        return self.members or (self.name,)


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in file order."""

    columns: tuple[Column, ...]

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that enter the model."""
        return tuple(c for c in self.columns if c.role == "feature" and c.kind in MODEL_KINDS)

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """The columns of the table that hold the features."""
        return tuple(name for column in self.features for name in column.table_columns)

    @property
    def targets(self) -> tuple[Column, ...]:
        """The columns to predict."""
        return tuple(c for c in self.columns if c.role == "target")

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class Notice:
    """Something the user should know: a choice and the flag that overrules it, or a warning."""

    text: str
    level: Literal["note", "warning"] = "note"
    column: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class TextFormat:
    """How a text file was read."""

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    quote: str = '"'
    notices: tuple[Notice, ...] = field(default=())


UNKNOWN, MISSING = 0, 1  # categories: never seen or rare; no value
NOTHING, UNKNOWN_WORD = 0, 1  # texts: the text is over; a word that has no id
FIRST = 2  # the first known category, or entry of a vocabulary
