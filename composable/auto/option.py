"""How an option is declared: once, as an annotated field of a record, from which every door to it follows."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Option:
    """What a user reads about an option, and the limits of its values beyond its type.

    Attributes:
        help: What it does, in one sentence.
        value: What stands for its value in a help page, such as FILE; where it takes one of several words,
            these do.
        flag: Its name on the command line, where that isn't its own with dashes.
        above: A number that its value must exceed.
        low: The least value.
        high: The greatest value.
        path: Whether it names a file or a folder.
        only: The kind of data without which it means nothing: "image", "image or series", or "text file".
        pairs: Whether its values are texts NAME=VALUE, for which files and Python may have a mapping.
    """

    help: str
    value: str = ""
    flag: str = ""
    above: float | None = None
    low: int | None = None
    high: int | None = None
    path: bool = False
    only: Literal["", "image", "image or series", "text file"] = ""
    pairs: bool = False

    @property
    def range(self) -> str:
        """The values that are allowed, in words; "" where all are."""
        if self.above is not None:
            return f"a finite number above {self.above:g}"
        if self.low is None:
            return ""
        return f"{self.low} or more" if self.high is None else f"{self.low} to {self.high}"

    def allows(self, value: float) -> bool:
        """Whether a number lies in the range."""
        if self.above is not None:
            return self.above < value < float("inf")
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """The JSON schema of the type, which pydantic makes, with the limits and the help of the option."""
        schema = handler(core)
        limits = {"exclusiveMinimum": self.above, "minimum": self.low, "maximum": self.high}
        known = {name: limit for name, limit in limits.items() if limit is not None}
        for branch in schema.get("anyOf", [schema]):
            if branch.get("type") in ("number", "integer"):
                branch |= known
        if schema.get("type") == "array":  # one value may stand for a list of one
            mapping = [{"type": "object"}] if self.pairs else []
            schema = {"anyOf": [schema["items"], schema, *mapping]}
        return schema | {"description": self.help}


@dataclass(frozen=True)
class Field:
    """An option as its record declares it.

    Attributes:
        name: In Python and in files.
        option: The `Option` in its annotation.
        type: Of one value: str, int, float or bool.
        choices: The words that it takes, if it takes no others.
        many: Whether it takes several values.
        default: Its value where the user sets none.
    """

    name: str
    option: Option
    type: type
    choices: tuple[str, ...]
    many: bool
    default: Any

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return self.option.flag or f"--{self.name.replace('_', '-')}"

    @property
    def spellings(self) -> set[str]:
        """The names that a file may give it."""
        return {self.name, self.name.replace("_", "-"), self.flag.removeprefix("--")}


@cache
def fields_of(record: type) -> tuple[Field, ...]:
    """The options that a dataclass declares, in their order."""
    hints = get_type_hints(record, include_extras=True)
    return tuple(_field(one, hints[one.name]) for one in dataclasses.fields(record))


def _field(declared: dataclasses.Field[Any], hint: Any) -> Field:
    annotated, option = get_args(hint)
    many = get_origin(annotated) is tuple
    (single, *_) = (kind for kind in get_args(annotated) or (annotated,) if kind is not NoneType)
    if get_origin(annotated) is Literal:
        single = annotated
    choices = get_args(single) if get_origin(single) is Literal else ()
    return Field(declared.name, option, str if choices else single, choices, many, declared.default)


def arguments_of(record: type, names: tuple[str, ...] = ()) -> str:
    """The options as the arguments of a docstring, those of these names or all."""
    fields = [field for field in fields_of(record) if not names or field.name in names]
    return "\n".join(f"    {field.name}: {_told(field)}" for field in fields)


def table_of(record: type) -> str:
    """The options as a table in Markdown."""
    rows = [
        f"| `{field.flag}` | {', '.join(f'`{word}`' for word in field.choices) or field.option.value or '-'} "
        f"| {_shown(field.default)} | {field.option.help} |"
        for field in fields_of(record)
    ]
    return "\n".join(("| option | values | default | |", "|---|---|---|---|", *rows))


def with_table(page: str, record: type) -> str:
    """A page in Markdown with its table of options, between two comments, brought up to date."""
    before, opening, rest = page.partition("<!-- options")
    comment, end, after = rest.partition("-->\n")
    _, closing, after = after.partition("\n<!-- end of options -->")
    return before + opening + comment + end + table_of(record) + closing + after


def _told(field: Field) -> str:
    choices = f" One of {', '.join(field.choices)}." if field.choices else ""
    return field.option.help + choices


def _shown(default: Any) -> str:
    return "" if default in (None, (), False) else f"`{default}`"


def plain_value(value: Any, field: Field) -> Any:
    """The value as JSON could hold it, of the shape that the option has."""
    if field.option.pairs and isinstance(value, Mapping):
        return tuple(f"{name}={'none' if one is None else one}" for name, one in value.items())
    if field.many:
        several = not isinstance(value, (str, Mapping)) and isinstance(value, Iterable)
        return tuple(_single(one, field) for one in (value if several else [value]))
    return _single(value, field)


def _single(value: Any, field: Field) -> Any:
    if field.type is not str:
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return str(value) if type(value) is int else value
