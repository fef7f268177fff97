"""A model's `config.json`, held against the list of what it may name before Keras sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from composable.core.errors import ArtifactError
from composable.design.allowed import ACTIVATIONS, CLASSES, DTYPES, VALUES

CONFIG_BYTES = 64 * 2**20
CONFIG_DEPTH = 200
_BY_NAME = ("_initializer", "_regularizer", "_constraint")  # Keras writes these as objects, never by name

Config = dict[str, Any]


def checked_config(content: bytes, origin: str) -> Config:
    """Parse a model's `config.json` and refuse whatever `composable.design.allowed` doesn't list.

    Args:
        content: The file's bytes.
        origin: The model file's name, for the message.

    Raises:
        ArtifactError: Naming the place inside the configuration and what was found there.
    """
    if len(content) > CONFIG_BYTES:
        raise _refusal(origin, "", f"{len(content)} bytes of configuration, at most {CONFIG_BYTES} are read")
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as broken:
        raise _refusal(origin, "", f"no readable JSON ({type(broken).__name__}: {broken})") from broken
    if not isinstance(config, dict) or config.get("class_name") != "Functional":
        raise _refusal(origin, "", "something else than a functional model")
    config["compile_config"] = None  # never executed: models are loaded uncompiled
    for place, value in walk(config, origin):
        if isinstance(value, dict):
            _check_object(value, place, origin)
            _check_names(value, place, origin)
    return config


def walk(config: Any, origin: str) -> Iterator[tuple[str, Any]]:
    """Every value of the configuration with its place, such as `config.layers.3.config`.

    Raises:
        ArtifactError: If the values lie deeper than any real model's.
    """
    pending: list[tuple[str, int, Any]] = [("", 0, config)]
    while pending:
        place, depth, value = pending.pop()
        if depth > CONFIG_DEPTH:
            raise _refusal(origin, place[:80], f"values nested deeper than {CONFIG_DEPTH}")
        yield place, value
        items = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        pending += [(f"{place}.{key}" if place else str(key), depth + 1, item) for key, item in items]


def _check_object(value: Config, place: str, origin: str) -> None:
    if value.get("compile_config"):
        raise _refusal(
            origin, place, "a compiled model inside the model", "nest models that were never compiled"
        )
    if "class_name" not in value:
        if "module" in value or "registered_name" in value:
            raise _refusal(origin, place, "an object without a class")
        return
    name = value["class_name"]
    if not isinstance(name, str):
        raise _refusal(origin, place, f"the class {name}")
    if name in VALUES:
        _check_value(value, place, origin)
    elif name == "function":
        _check_function(value, place, origin)
    else:
        _check_class(value, place, origin)


def _check_class(value: Config, place: str, origin: str) -> None:
    name, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    if not isinstance(module, str) or name not in CLASSES.get(module, ()):
        raise _refusal(origin, place, f"the class {module}.{name}")
    if registered not in (None, name):
        raise _refusal(origin, place, f"a class registered as {registered!r}")
    if "inbound_nodes" in value and name != "InputLayer":
        _check_nodes(value["inbound_nodes"], place, origin)


def _check_function(value: Config, place: str, origin: str) -> None:
    module, function, registered = value.get("module"), value.get("config"), value.get("registered_name")
    known = module in ("builtins", "keras.activations") and str(function) in ACTIVATIONS
    if not known or registered not in (None, function):
        raise _refusal(origin, place, f"the function {module}.{function}, registered as {registered}")


def _check_value(value: Config, place: str, origin: str) -> None:
    inner = value.get("config")
    if isinstance(inner, dict) and "dtype" in inner and str(inner["dtype"]) not in DTYPES:
        raise _refusal(origin, place, f"an array of {inner['dtype']!r}")


def _check_nodes(nodes: Any, place: str, origin: str) -> None:
    """Each call takes a symbolic tensor: a call on constants alone would compute while loading."""
    for node in nodes if isinstance(nodes, list) else [nodes]:
        found = (value for _, value in walk(node, origin) if isinstance(value, dict))
        if not any(value.get("class_name") == "__keras_tensor__" for value in found):
            raise _refusal(origin, place, "a layer called on no tensor")


def _check_names(value: Config, place: str, origin: str) -> None:
    for key, item in value.items():
        if not isinstance(item, str):
            continue
        if key.endswith("activation") and item not in ACTIVATIONS:
            raise _refusal(origin, f"{place}.{key}", f"the activation {item!r}")
        if key.endswith(_BY_NAME):
            raise _refusal(origin, f"{place}.{key}", f"{item!r} by name")


def _refusal(origin: str, place: str, found: str, remedy: str = "") -> ArtifactError:
    where = f"{origin}, config.json" + (f" at {place}" if place else "")
    return ArtifactError(
        "A model file may name only stock Keras layers and operations that need no code and no files.",
        received=f"{where}: {found[:300]}",
        remedy=remedy or "load only files that Composable wrote and that nobody altered since",
    )
