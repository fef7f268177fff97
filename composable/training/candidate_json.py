"""Candidates as plain JSON values and back: parts by the names of components, records by their fields."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from composable.core.errors import ArtifactError, ConfigError
from composable.design import Architecture, Part
from composable.design.config import from_config, to_config
from composable.engine.averaging import EMA, SWA, Lookahead
from composable.engine.optimizer import Group, Optimizer
from composable.engine.rules import Rule
from composable.engine.settings import Settings
from composable.training.candidate import Candidate
from composable.training.progressive import Small

_PLAIN = (Candidate, Settings, Optimizer, Group, Rule, EMA, SWA, Lookahead, Small)
_RECORDS = {one.__name__: one for one in _PLAIN}


def to_plain(value: Any) -> Any:
    """A candidate, or what it is made of, as plain JSON values; weights to begin with are left out.

    Raises:
        ConfigError: If it holds something that has no name, such as an optimizer of the user's own.
    """
    if isinstance(value, Architecture):
        return {"architecture": value.to_config()}
    if isinstance(value, Part):
        return {"part": to_config(value)}
    if type(value).__name__ in _RECORDS:
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {
            "record": type(value).__name__,
            "fields": {name: to_plain(one) for name, one in fields.items() if name != "begin"},
        }
    if isinstance(value, Mapping):
        return {"mapping": {str(key): to_plain(one) for key, one in value.items()}}
    if isinstance(value, (tuple, list)):
        return [to_plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ConfigError(
        "What is trained in another process is made of registered components and plain values.",
        received=repr(value)[:200],
        remedy="train in one process: leave --workers out",
    )


def from_plain(value: Any) -> Any:
    """Rebuild what `to_plain` wrote.

    Raises:
        ArtifactError: If it names a component or a record that isn't there.
    """
    match value:
        case {"architecture": config}:
            return Architecture.from_json(json.dumps(config))
        case {"part": config}:
            return from_config(config)
        case {"record": str() as name, "fields": dict() as fields}:
            if name not in _RECORDS:
                raise ArtifactError("A job names known records.", received=repr(name)[:100])
            return _RECORDS[name](**{key: from_plain(one) for key, one in fields.items()})
        case {"mapping": dict() as mapping}:
            return {key: from_plain(one) for key, one in mapping.items()}
        case list():
            return tuple(from_plain(one) for one in value)
    return value


def modules_of(value: Any) -> set[str]:
    """The modules that define the components of a candidate or of what it is made of.

    Components register themselves as their module is imported: another process has to import these before
    `from_plain` finds them.
    """
    if isinstance(value, Part):
        inner = modules_of(tuple(value.metaparameters.values()))
        return {getattr(value.component, "__module__", "keras"), *inner}
    if isinstance(value, (tuple, list)):
        return set[str]().union(*map(modules_of, value))
    if dataclasses.is_dataclass(value):
        return modules_of(tuple(getattr(value, one.name) for one in dataclasses.fields(value)))
    return set()
