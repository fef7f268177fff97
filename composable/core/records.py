"""A frozen dataclass to versioned JSON and back, checked by pydantic on the way in."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from composable.core.errors import ConfigError

Record = TypeVar("Record")


def to_json(record: Any, *, format: str, version: int = 1) -> str:
    """The record as indented JSON, headed by its format: `{"format": "composable.schema/1", ...}`."""
    body = _adapter(type(record)).dump_python(record, mode="json")
    return json.dumps({"format": f"composable.{format}/{version}", **body}, indent=1, ensure_ascii=False)


def from_json(cls: type[Record], text: str, *, format: str, origin: str, version: int = 1) -> Record:
    """Read what `to_json` wrote, perhaps edited by a user since.

    Raises:
        ConfigError: Naming `origin`, the path inside it, the value, and the nearest known name.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as broken:
        raise ConfigError(f"{origin} must be JSON.", received=str(broken)) from broken
    if not isinstance(body, dict):
        raise ConfigError(f"{origin} must hold a JSON object.", received=type(body).__name__)
    expected = f"composable.{format}/{version}"
    if (found := body.pop("format", None)) != expected:
        raise ConfigError(
            f"{origin} must have the format {expected!r}.",
            received=repr(found),
            remedy="use a file that this version of Composable wrote",
        )
    return validated(cls, body, origin=origin)


def validated(cls: type[Record], values: Mapping[str, Any], *, origin: str) -> Record:
    """A record from plain values, each checked against its type.

    Raises:
        ConfigError: Naming `origin`, the path inside it, the value, and the nearest known name.
    """
    from pydantic import ValidationError

    try:
        return _adapter(cls).validate_python(_tuples(dict(values)))
    except ValidationError as invalid:
        raise _explain(invalid, cls, origin) from invalid


def json_schema(cls: type) -> dict[str, Any]:
    """The JSON schema of the plain values that `validated` makes a record of."""
    return _adapter(cls).json_schema()


def _adapter(cls: type) -> Any:
    from pydantic import ConfigDict, TypeAdapter

    if not hasattr(cls, "__pydantic_config__"):
        cls.__pydantic_config__ = ConfigDict(extra="forbid", arbitrary_types_allowed=True)  # type: ignore[attr-defined]
    return TypeAdapter(cls)


def _tuples(value: Any) -> Any:
    """JSON has only lists; our records hold tuples."""
    if isinstance(value, list):
        return tuple(map(_tuples, value))
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value


def _explain(invalid: Any, cls: type, origin: str) -> ConfigError:
    first = invalid.errors()[0]
    own = first.get("ctx", {}).get("error")
    if isinstance(own, ConfigError):  # a rule that the record itself checks
        return ConfigError(f"{origin}: {own.rule}", received=own.received, remedy=own.remedy)
    path = ".".join(str(step) for step in first["loc"])
    known = _field_names(cls)
    near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
    remedy = f"did you mean {near[0]!r}?" if first["type"] == "unexpected_keyword_argument" and near else ""
    return ConfigError(
        f"{origin}, at {path}: {first['msg']}.",
        received=repr(first["input"])[:200],
        remedy=remedy or "correct the value at that path",
    )


def _field_names(cls: type) -> list[str]:
    import dataclasses
    import typing

    names: list[str] = []
    pending, seen = [cls], set()
    while pending:
        current = pending.pop()
        if current in seen or not dataclasses.is_dataclass(current):
            continue
        seen.add(current)
        hints = typing.get_type_hints(current)
        names += [field.name for field in dataclasses.fields(current)]
        for hint in hints.values():
            pending += [hint, *typing.get_args(hint)]
    return names
