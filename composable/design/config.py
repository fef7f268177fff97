"""Parts and open choices as plain JSON values, and back: no code, only the names of registered components."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Mapping
from typing import Any

from composable.core.errors import ArtifactError, ConfigError
from composable.design.choice import Between, Choice
from composable.design.metaparameters import nearest
from composable.design.part import COMPONENTS, Component, Part, is_layer_class, is_registered, name_of

LARGEST = 4 * 2**20  # characters; ResNet-152 takes 700
DEEPEST = 40  # levels of lists and objects
HIGHEST = 2**31  # a whole number beyond it is no size of anything
_OWN_PACKAGES = ("composable.design", "composable.zoo")
_KINDS = ("component", "choice", "between")
_NOT_DATA = (  # layers whose configuration is code, a file, or another layer
    "Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer",
    "StringLookup", "IntegerLookup", "TextVectorization",
    "Layer", "Wrapper", "Pipeline", "InputLayer",
)  # fmt: skip


def to_config(value: Any, path: str = "") -> Any:
    """Parts and choices, however nested, as plain JSON values.

    Raises:
        ConfigError: If a component isn't registered or a value isn't JSON, naming its path.
    """
    match value:
        case Part(component=function, metaparameters=metaparameters):
            _check_named(function, metaparameters, path)
            values = {name: to_config(v, f"{path}.{name}") for name, v in metaparameters.items()}
            return {"component": name_of(function)} | values
        case Choice(options, name):
            named = {"name": name} if name else {}
            return {"choice": [to_config(v, f"{path}[{i}]") for i, v in enumerate(options)]} | named
        case Between(low, high, log, name):
            return (
                {"between": [low, high]} | ({"log": True} if log else {}) | ({"name": name} if name else {})
            )
        case tuple() | list():
            return [to_config(item, f"{path}.{i}") for i, item in enumerate(value)]
        case None | bool() | str():
            return value
        case int() | float() if abs(value) <= HIGHEST:  # no NaN, no infinity
            return value + 0  # -0.0 is 0.0
    raise ConfigError(
        f"Metaparameters that become JSON are numbers up to {HIGHEST}, strings, tuples, parts and choices.",
        received=f"{path}={value!r}"[:200],
    )


def from_config(config: Any, path: str = "") -> Any:
    """Rebuild what `to_config` wrote.

    Raises:
        ArtifactError: If a component isn't registered, or the values are nothing that `to_config` writes.
    """
    match config:
        case {"component": str() as name, **metaparameters}:
            values = {str(key): from_config(v, f"{path}.{key}") for key, v in metaparameters.items()}
            return Part(_found(name, path), **values)
        case {"choice": list() as options, **more} if more.keys() <= {"name"}:
            values = tuple(from_config(v, f"{path}[{i}]") for i, v in enumerate(options))
            return _opened(Choice, path, options=values, name=config.get("name"))
        case {"between": [low, high], **more} if more.keys() <= {"log", "name"}:
            bounds = {"low": low, "high": high, "log": config.get("log", False), "name": config.get("name")}
            return _opened(Between, path, **bounds)
        case list():
            return tuple(from_config(item, f"{path}.{i}") for i, item in enumerate(config))
        case dict():
            keys = ", ".join(map(str, config))
            raise _refused(path, f"an object with {keys or 'nothing'}; there are: {', '.join(_KINDS)}")
    return config


def parse(text: str) -> Any:
    """JSON that may come from anywhere: of a size, depth and range that an architecture can have.

    Raises:
        ArtifactError: If it is too large, too deep, no JSON, or holds numbers that are no numbers.
    """
    if len(text) > LARGEST:
        raise _refused("", f"{len(text)} characters, more than {LARGEST}")
    try:
        value = json.loads(text, parse_constant=_no_number, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as broken:
        if isinstance(broken, ArtifactError):
            raise
        raise _refused("", f"no JSON ({str(broken)[:200]})") from None
    _check_bounds(value)
    return value


def _check_named(function: Component, metaparameters: Mapping[str, Any], path: str) -> None:
    named = hasattr(function, "__name__")
    name = name_of(function) if named else type(function).__name__
    if not (is_registered(function) or _keras_layer(name) is function):
        layer = is_layer_class(type(function))
        raise ConfigError(
            "JSON names registered components alone.",
            received=f"{path.lstrip('.') or 'a part'}: {name}",
            remedy=f"give the class instead of a layer: Part(keras.layers.{name}, ...)"
            if layer
            else "put `@composable.component` above the function or class",
        )
    if "component" in metaparameters:
        raise ConfigError(
            "A metaparameter in JSON has another name than `component`.",
            received=f"{path.lstrip('.') or 'a part'}: {name}",
            remedy="rename it",
        )


def _found(name: str, path: str) -> Component:
    if name not in COMPONENTS:
        _import_family(name.partition(".")[0])
    function = COMPONENTS.get(name) or _keras_layer(name)
    if function is None:
        raise ArtifactError(
            f"There is no component {name[:100]!r}.",
            received=f"{path.lstrip('.') or 'the design'}: {name!r}"[:200],
            remedy=f"import the module that defines it first{nearest(name[:100], COMPONENTS)}",
        )
    return function


def _import_family(family: str) -> None:
    """Import a family of this project, whose components register then."""
    for package in _OWN_PACKAGES:
        if family.isidentifier() and importlib.util.find_spec(f"{package}.{family}"):
            importlib.import_module(f"{package}.{family}")


def _keras_layer(name: str) -> Component | None:
    """One of Keras's own layers, but those that run code from their configuration."""
    family, _, layer = name.partition(".")
    if family != "keras" or layer in _NOT_DATA:
        return None
    from keras import layers

    found = getattr(layers, layer, None) if layer[:1].isupper() else None
    return found if is_layer_class(found) and found.__module__.startswith("keras.src.layers.") else None


def _opened(kind: type[Choice] | type[Between], path: str, **fields: Any) -> Choice | Between:
    name = fields.get("name")
    if not (name is None or isinstance(name, str)) or not isinstance(fields.get("log", False), bool):
        raise _refused(path, f"name={name!r}")
    try:
        return kind(**fields)
    except (ValueError, TypeError) as wrong:
        raise _refused(path, str(wrong)) from None


def _check_bounds(value: Any, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise _refused("", f"lists and objects nested deeper than {DEEPEST}")
    match value:
        case dict():
            for item in value.values():
                _check_bounds(item, depth + 1)
        case list():
            for item in value:
                _check_bounds(item, depth + 1)
        case bool():
            return
        case int() | float() if not abs(value) <= HIGHEST:
            raise _refused("", f"the number {str(value)[:40]}")


def _no_number(constant: str) -> Any:
    raise _refused("", constant)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _refused("", "one key twice in an object")
    return found


def _refused(path: str, received: str) -> ArtifactError:
    prefix = f"{path.lstrip('.')}: " if path else ""
    return ArtifactError(
        "A design's JSON must be what `to_json` writes.", received=f"{prefix}{received}"[:300]
    )
