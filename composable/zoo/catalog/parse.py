"""Designs as a user writes them in one line: a name, a call, a JSON file, or a function of one's own.

`resnet50`, `resnet_space`, `resnet(depth=101, classes=10)`, `my_design.json`, `my_module:my_function`. A
call is read as data: nothing but the last one runs code that isn't the zoo's.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from composable.core.errors import ComposableError, ConfigError
from composable.design.architecture import Architecture
from composable.design.config import LARGEST
from composable.design.inputs import Inputs
from composable.design.metaparameters import check, nearest
from composable.zoo import catalog

_SPACE = "_space"
LONGEST_CALL = 10_000  # characters


@dataclass(frozen=True)
class ParsedDesign:
    """What was meant.

    Attributes:
        name: Of the member, family, file or function.
        architecture: Perhaps with open choices.
        inputs: What it takes unless it is built for something else; None where nothing says so.
        family: Of the zoo; None for a design of one's own.
        metaparameters: That it was made with.
    """

    name: str
    architecture: Architecture
    inputs: Inputs | None = None
    family: str | None = None
    metaparameters: Mapping[str, Any] = field(default_factory=dict)


def parse_design(text: str) -> ParsedDesign:
    """The design that `text` names, calls, points to, or is (as JSON).

    Raises:
        ConfigError: If there is none, or it doesn't take what is given.
        ArtifactError: If a file isn't a design's JSON.
    """
    text = text.strip()
    if text.startswith("{"):
        return ParsedDesign("design", Architecture.from_json(text))
    if text.lower().endswith(".json"):
        return _from_file(Path(text))
    name, given = read_call(text, example="resnet(depth=50, classes=10)")
    if ":" in name:
        return _from_function(name, given)
    if name.endswith(_SPACE) and name.removesuffix(_SPACE) in catalog.FAMILIES:
        return _space(name, given)
    family = catalog.family_of(name)
    made_with = {**family.members.get(name, {}), **given}
    return ParsedDesign(
        name, catalog.made(family, made_with), catalog.inputs_of(name), family.name, made_with
    )


def _space(name: str, given: dict[str, Any]) -> ParsedDesign:
    family = catalog.family_of(name.removesuffix(_SPACE))
    space = catalog.search_space(family.name, **given)
    return ParsedDesign(name, space, family.inputs, family.name, given)


def _from_file(path: Path) -> ParsedDesign:
    try:
        if path.stat().st_size > LARGEST:
            raise _nothing(str(path), f"a file of {path.stat().st_size:,} bytes is no design")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as refused:
        raise _nothing(str(path), getattr(refused, "strerror", "") or "no text in UTF-8") from None
    return ParsedDesign(path.stem, Architecture.from_json(text))


def import_user_module(name: str) -> ModuleType:
    """A module of the user's own, found also in the folder where the command is called.

    Raises:
        ConfigError: If there is none, or it fails.
    """
    with _failing_as_design(name):
        return importlib.import_module(name)


def _from_function(name: str, given: dict[str, Any]) -> ParsedDesign:
    module, _, attribute = name.partition(":")
    with _failing_as_design(name):
        found = getattr(importlib.import_module(module), attribute)
        if callable(found):
            check(found, given)
            found = found(**given)
    if not isinstance(found, Architecture):
        raise ConfigError(
            "A function that is given as a design returns an Architecture.",
            received=f"{name} gives {type(found).__name__}",
            remedy="return Architecture(stem=..., learner=..., tasks=...)",
        )
    return ParsedDesign(attribute, found, metaparameters=given)


@contextmanager
def _failing_as_design(name: str) -> Iterator[None]:
    """Import also from the folder where the command is called, as `python -m` does; name what fails."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    except ComposableError:
        raise
    except Exception as failed:  # a user's own code may raise anything
        raise ConfigError(
            f"{name} can't be used as a design.",
            received=f"{type(failed).__name__}: {failed}"[:400],
            remedy="module:function names a module that can be imported here, and a function in it",
        ) from failed
    finally:
        sys.path.remove(here)


def _nothing(text: str, why: str) -> ComposableError:
    return ConfigError(
        f"There is no design {text[:100]!r}.",
        received=why[:300],
        remedy="give a name of the catalog, a call, a JSON file or module:function; "
        f"`composable design list` shows the names{nearest(text, [*catalog.MEMBERS, *catalog.FAMILIES])}",
    )


def read_call(text: str, *, example: str) -> tuple[str, dict[str, Any]]:
    """The name, and the keywords behind it in brackets, whose values are Python's literals.

    Args:
        text: A name, with or without brackets.
        example: A right call, for the error.

    Raises:
        ConfigError: If there is anything else in the brackets.
    """
    name, bracket, rest = text.partition("(")
    if not bracket:
        return name.strip(), {}
    try:
        if len(text) > LONGEST_CALL:
            raise ValueError(text)
        keywords = _keywords(ast.parse(f"_({rest}", mode="eval").body)
    except (ValueError, SyntaxError, TypeError, AttributeError, RecursionError, MemoryError) as wrong:
        raise ConfigError(
            "A call in one line has keywords: numbers, texts, True, False, None, and tuples of them.",
            received=f"{text[:200]!r}" + (f": {wrong.msg}" if isinstance(wrong, SyntaxError) else ""),
            remedy=f'for example "{example}"',
        ) from None
    return name.strip(), {key: _tuples(value) for key, value in keywords.items()}


def _keywords(call: Any) -> dict[str, Any]:
    """The keywords of a call and their values.

    Raises:
        ValueError: If it is no call, or has anything else.
    """
    found = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    if not isinstance(call.func, ast.Name) or call.args or None in found or len(found) < len(call.keywords):
        raise ValueError(found)
    return found


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
