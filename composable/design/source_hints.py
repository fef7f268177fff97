"""Annotations without Composable: `Count` is `int`, and what says nothing in plain Python is left out."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal

import keras

from composable.design.source_layout import flat, literal


def hints_of(definition: Any) -> dict[str, str | None]:
    """Each annotation as plain Python, or None where it says nothing without Composable."""
    try:
        return {name: _written(hint) for name, hint in typing.get_type_hints(definition).items()}
    except (NameError, TypeError, AttributeError):  # annotated with what isn't there
        return {}


def _written(hint: Any) -> str | None:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if hint is type(None):
        return "None"
    if origin is Literal:
        return f"Literal[{', '.join(flat(literal(each)) for each in inside)}]"
    if hint is Ellipsis:
        return "..."
    if hint is keras.Model:
        return "keras.Model"
    parts = [_written(each) for each in inside]
    if None in parts:
        return origin.__name__ if origin in (tuple, list, dict) else None
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(str, parts))
    if origin in (tuple, list, dict):
        return f"{origin.__name__}[{', '.join(map(str, parts))}]"
    return hint.__name__ if hint in (int, float, str, bool, tuple, list, dict) else None
