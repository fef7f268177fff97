"""A call as a user writes it in one line, `resnet(depth=50, classes=10)`: read as data, never run."""

from __future__ import annotations

import ast
from typing import Any

from composable.core.errors import ConfigError

LONGEST = 10_000  # characters


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
        if len(text) > LONGEST:
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
