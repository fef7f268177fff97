"""A space, and a configuration of it, as files that a person reads and edits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

from composable.core.errors import ArtifactError, ConfigError
from composable.design.choice import Open
from composable.design.config import from_config, parse, to_config
from composable.design.metaparameters import nearest
from composable.search.space import OpenCandidate

SPACE, CONFIGURATION = "composable.space/1", "composable.configuration/1"
LARGEST = 4_000_000  # bytes
Openings = dict[str, dict[str, Any]]
"""For each family, by path, what is open there or the value that is fixed."""


def space_text(families: Sequence[OpenCandidate]) -> str:
    """Families and what is open in them as JSON: `{"format": ..., "families": {"mlp": {"units": ...}}}`."""
    found = {
        family.name: {path: to_config(unnamed(opening), path) for path, opening in family.openings.items()}
        for family in families
    }
    lines = [
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(f"   {json.dumps(path)}: {json.dumps(one)}" for path, one in openings.items())
        + "\n  }"
        if openings
        else f"  {json.dumps(name)}: {{}}"
        for name, openings in found.items()
    ]
    body = ",\n".join(lines)
    return f'{{\n "format": {json.dumps(SPACE)},\n "families": {{\n{body}\n }}\n}}\n'


def read_space(path: Path) -> Openings:
    """What a file that `space_text` wrote, perhaps edited since, leaves open in each family.

    Raises:
        ConfigError: If it can't be read, is of another format, or an opening is none; names the path in it.
    """
    body = _body(path, SPACE, "`composable space DATA --target COLUMN --out FILE` writes one")
    families = body.get("families")
    if set(body) != {"format", "families"} or not _is_nested(families) or not families:
        raise ConfigError(
            f"{path} must hold families, each with what is open by its path.",
            received=", ".join(map(str, body))[:200],
            remedy='write {"format": ..., "families": {"mlp": {"units": {"choice": [64, 128]}}}}',
        )
    return {
        name: {at: _value(one, f"{path}, families.{name}.{at}") for at, one in openings.items()}
        for name, openings in families.items()
    }


def read_configuration(path: Path) -> tuple[str, dict[str, Any]]:
    """The family and the values by path of a configuration to be tried.

    Raises:
        ConfigError: If the file can't be read, is of another format, or leaves something open.
    """
    values_of = '"family": "mlp", "values": {"training.learning_rate": 0.001}'
    example = f'write {{"format": "{CONFIGURATION}", {values_of}}}'
    body = _body(path, CONFIGURATION, example)
    family, values = body.get("family"), body.get("values")
    if set(body) != {"format", "family", "values"} or not isinstance(family, str) or not _is_named(values):
        raise ConfigError(
            f"{path} must hold a family and values by their paths.",
            received=", ".join(map(str, body))[:200],
            remedy=example,
        )
    found = {at: _value(one, f"{path}, values.{at}") for at, one in values.items()}
    if still_open := [at for at, one in found.items() if isinstance(one, Open)]:
        raise ConfigError(
            "A configuration leaves nothing open.",
            received=f"{path}: {still_open[0]}={found[still_open[0]]!r}"[:300],
            remedy="write one value there",
        )
    return family, found


def unnamed(value: Any) -> Any:
    """An opening without its name, which is its path."""
    return replace(value, name=None) if isinstance(value, Open) else value


def known_family(name: str, families: Sequence[OpenCandidate], origin: str) -> OpenCandidate:
    """The family of that name.

    Raises:
        ConfigError: If there is none; names the nearest.
    """
    by_name = {family.name: family for family in families}
    if name not in by_name:
        raise ConfigError(
            f"There is no family {name[:100]!r} for these data.",
            received=origin,
            remedy=f"there are: {', '.join(by_name)}{nearest(name, by_name)}",
        )
    return by_name[name]


def _body(path: Path, expected: str, remedy: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(
                f"{path} must have at most {LARGEST:,} bytes.", received=f"{path.stat().st_size:,}"
            )
        body = parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigError(
            "What is to be searched comes from a readable file in UTF-8.",
            received=f"{path}: {unreadable}",
            remedy=remedy,
        ) from unreadable
    except ArtifactError as broken:
        raise ConfigError(f"{path} must be JSON.", received=broken.received, remedy=remedy) from broken
    found = body.get("format") if isinstance(body, Mapping) else type(body).__name__
    if not isinstance(body, dict) or found != expected:
        raise ConfigError(
            f"{path} must have the format {expected!r}.", received=f"{found!r}"[:200], remedy=remedy
        )
    return body


def _value(config: Any, origin: str) -> Any:
    try:
        return from_config(config)
    except (ArtifactError, ConfigError) as wrong:
        raise ConfigError(
            f"{origin} must be a value, a choice or a range.",
            received=wrong.received or wrong.rule,
            remedy='write 64, {"choice": [64, 128]}, or {"between": [0.0001, 0.01], "log": true}',
        ) from wrong


def _is_named(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


def _is_nested(value: Any) -> bool:
    return _is_named(value) and all(map(_is_named, value.values()))
