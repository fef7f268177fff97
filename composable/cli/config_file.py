"""`--config FILE`: options in YAML or JSON, checked as strictly as flags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from composable.auto.options import FitOptions
from composable.core.errors import ConfigError
from composable.core.records import validated

MAXIMUM_BYTES = 100_000
MAXIMUM_DEPTH = 5
LISTS = ("target", "drop", "stages", "augment")  # options that take one name or several
FLAT = "write one option per line, such as `time-limit: 60`"


def fit_options(flags: Mapping[str, Any], config: Path | None) -> FitOptions:
    """The options of a fit; a flag wins over the file, whose absence leaves the defaults.

    Args:
        flags: What was typed, by the names of `FitOptions`; None or `()` where nothing was.
        config: The file, if there is one.

    Raises:
        ConfigError: If the file can't be used; names the path in it and the nearest known option.
    """
    typed = {name: value for name, value in flags.items() if value not in (None, ())}
    options = (_read(config) if config else {}) | typed
    return validated(FitOptions, options, origin=str(config or "the command line"))


def _read(path: Path) -> dict[str, Any]:
    """The options in a file under the names of `FitOptions`: `time-limit` and `time_limit` are one."""
    parse = _json_pairs if path.suffix.lower() == ".json" else _yaml_pairs
    try:
        pairs = parse(_text(path), str(path))
    except RecursionError as deep:
        raise ConfigError(
            "A configuration is a flat list of options.", received=f"{path}: deep nesting", remedy=FLAT
        ) from deep
    names = [str(name).replace("-", "_") for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            "An option may be set once.",
            received=f"{path}: {', '.join(twice)} twice",
            remedy="remove one of them",
        )
    return {
        name: [value] if name in LISTS and not isinstance(value, list) else value
        for name, (_, value) in zip(names, pairs, strict=True)
    }


def _text(path: Path) -> str:
    rule = f"The configuration must be a readable file in UTF-8 of at most {MAXIMUM_BYTES:,} bytes."
    try:
        with path.open("rb") as stream:
            content = stream.read(MAXIMUM_BYTES + 1)
        if len(content) > MAXIMUM_BYTES:
            raise ConfigError(rule, received=f"{path} is larger", remedy="check --config")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigError(rule, received=f"{path}: {unreadable}", remedy="check --config") from unreadable


def _json_pairs(text: str, origin: str) -> list[tuple[Any, Any]]:
    try:
        pairs = json.loads(text, object_pairs_hook=tuple)  # lists stay lists, so a tuple was an object
    except ValueError as broken:
        raise ConfigError(f"{origin} must be JSON.", received=str(broken)) from broken
    if not isinstance(pairs, tuple):
        raise ConfigError(f"{origin} must hold a JSON object.", received=type(pairs).__name__)
    return list(pairs)


def _yaml_pairs(text: str, origin: str) -> list[tuple[Any, Any]]:
    """Read YAML with PyYAML's safe loader, which builds plain values alone."""
    import yaml

    try:
        _refuse_structure(text, origin)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{origin} must hold options.", received="something else", remedy=FLAT)
        return [
            (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
            for key, value in node.value
        ]
    except yaml.YAMLError as broken:
        raise ConfigError(f"{origin} must be plain YAML.", received=" ".join(str(broken).split())) from broken


def _refuse_structure(text: str, origin: str) -> None:
    """Refuse aliases and deep nesting while reading: a flat list needs neither and both can explode."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        found = (
            "an alias"
            if isinstance(event, yaml.AliasEvent)
            else "deep nesting"
            if depth > MAXIMUM_DEPTH
            else ""
        )
        if found:
            raise ConfigError(
                "A configuration is a flat list of options.",
                received=f"{origin}, line {event.start_mark.line + 1}: {found}",
                remedy=FLAT,
            )
