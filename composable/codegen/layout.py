"""Python text that is laid out as formatters do: on one line where it fits, else broken at its brackets."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from composable.core.errors import ConfigError

WIDTH = 110  # characters per line
STEP = 4  # blanks of one level


@dataclass(frozen=True)
class Bracketed:
    """Items between brackets, with what stands before them: `partial(bottleneck, expansion=4)`.

    Attributes:
        opening: Up to the bracket that opens: `block=partial(`.
        items: Between the commas.
        closing: From the bracket that closes.
        packs: Whether the items may share a line of their own, as arguments do and a tuple's items don't.
    """

    opening: str
    items: tuple[Node, ...]
    closing: str = ")"
    packs: bool = True

    def before(self, opening: str) -> Bracketed:
        """The same with more before it."""
        return Bracketed(opening + self.opening, self.items, self.closing, self.packs)


Node = str | Bracketed


def call(function: str, *arguments: Node, **named: Node) -> Bracketed:
    """`function(argument, name=value)`."""
    return Bracketed(f"{function}(", (*arguments, *(assigned(name, value) for name, value in named.items())))


def assigned(name: str, value: Node, sign: str = "=") -> Node:
    """`name=value`."""
    return value.before(f"{name}{sign}") if isinstance(value, Bracketed) else f"{name}{sign}{value}"


def several(items: Iterable[Node], brackets: str = "()") -> Bracketed:
    """A tuple, or what other brackets make."""
    found = tuple(items)
    closing = f",{brackets[1]}" if brackets == "()" and len(found) == 1 else brackets[1]
    return Bracketed(brackets[0], found, closing, packs=False)


def flat(node: Node) -> str:
    """On one line."""
    if isinstance(node, str):
        return node
    return node.opening + ", ".join(map(flat, node.items)) + node.closing


def laid_out(node: Node, indent: int = 0, behind: int = 0) -> str:
    """The lines of a statement or item that begins at `indent`, without that indent in the first.

    Args:
        node: What to write.
        indent: Blanks before it.
        behind: How many characters follow on its last line.
    """
    if isinstance(node, str) or indent + len(flat(node)) + behind <= WIDTH:
        return flat(node)
    inside = indent + STEP
    packed = ", ".join(map(flat, node.items))
    if node.packs and inside + len(packed) <= WIDTH:
        lines = [packed]
    else:
        lines = [f"{laid_out(item, inside, 1)}," for item in node.items]
    body = "\n".join(" " * inside + line for line in lines)
    return f"{node.opening}\n{body}\n{' ' * indent}{node.closing.lstrip(',')}"


def literal(value: object, other: Callable[[Any], Node | None] = lambda _: None) -> Node:
    """A plain value: numbers, texts, None, and tuples, lists and dicts of them.

    Args:
        value: What to write.
        other: Called first, for what isn't plain.

    Raises:
        ConfigError: If it is none of them.
    """
    if (known := other(value)) is not None:
        return known
    match value:
        case str():
            return quoted(value)
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case None | bool() | int() | float():
            return repr(value)
        case tuple():
            return several(literal(item, other) for item in value)
        case list():
            return several((literal(item, other) for item in value), "[]")
        case dict():
            items = ((flat(literal(key)), literal(item, other)) for key, item in value.items())
            return several((assigned(key, item, ": ") for key, item in items), "{}")
    raise ConfigError(
        "Source code can hold numbers, texts, tuples and components as values.",
        received=f"{type(value).__name__}: {value!r}"[:200],
        remedy="give the component that value itself, or make it from such",
    )


def quoted(text: str) -> str:
    """The text as a literal, between double quotes unless it holds more of them than of single ones."""
    if "'" in repr(text)[1:-1] or '"' not in text:
        return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)
    return repr(text)
