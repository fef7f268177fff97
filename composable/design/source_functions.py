"""The text of a component as a person would write it in a file of its own: without what only Composable needs.

The body stays as its author wrote it, comments and all; the signature is written anew, with plain annotations.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import symtable
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any, Literal

from composable.core.errors import ConfigError
from composable.design.metaparameters import called
from composable.design.part import Part, component
from composable.design.source_layout import Bracketed, laid_out
from composable.design.source_modules import is_own

Place = tuple[int, int]  # line from 1 and byte from 0, as `ast` counts
_FOR_LINTERS = re.compile(r"  # (?:noqa|type: ignore|pyright)\b.*$", re.MULTILINE)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Plain:
    """A definition's text, and what it imported inside from the modules whose text is taken over as well."""

    text: str
    imported: Mapping[str, object] = field(default_factory=dict)


def plain_function(function: types.FunctionType) -> Plain:
    """A function without `@component`, house annotations and imports of modules that are taken over.

    Raises:
        ConfigError: If its text can't be had, or it needs variables of the function around it.
    """
    if function.__name__ == "<lambda>" or function.__code__.co_freevars:
        held = ", ".join(function.__code__.co_freevars)
        raise ConfigError(
            "Source code is made of functions that stand on their own.",
            received=f"{called(function)}" + (f", which holds {held}" if held else ""),
            remedy="write it with `def` at the top level of a file; what it holds becomes a metaparameter",
        )
    edits = Edits(_with_layers_as_parts(own_text(function), function.__globals__))
    top = edits.tree.body[0]
    imported: dict[str, object] = {}
    for node in ast.walk(top):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                hints = _hints(function) if node is top else {}
                edits.replace(*_head(node), _signature(edits, node, hints, function.__globals__))
            case ast.AnnAssign(target=target, annotation=_, value=ast.expr() as value):
                edits.replace(_end(target), _start(value), " = ")
            case ast.ImportFrom(module=str(module)) if is_own(module):
                edits.drop_lines(node)
                found = importlib.import_module(module)
                imported |= {each.asname or each.name: getattr(found, each.name) for each in node.names}
    return Plain(_FOR_LINTERS.sub("", edits.applied()).strip("\n"), imported)


def plain_class(kind: type) -> Plain:
    """A class with its methods' and fields' annotations made plain."""
    edits = Edits(own_text(kind))
    for node in ast.walk(edits.tree):
        match node:
            case ast.FunctionDef():
                method = vars(kind).get(node.name)
                hints = _hints(method) if inspect.isfunction(method) else {}
                edits.replace(*_head(node), _signature(edits, node, hints, {}))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                edits.replace(_start(annotation), _end(annotation), _hints(kind).get(name) or "object")
    return Plain(_FOR_LINTERS.sub("", edits.applied()).strip("\n"))


def own_text(definition: Callable[..., Any]) -> str:
    """The definition as its author wrote it.

    Raises:
        ConfigError: If no file holds it.
    """
    try:
        text = dedent(inspect.getsource(definition))
        if getattr(ast.parse(text).body[0], "name", None) == definition.__name__:
            return text
    except (OSError, TypeError, SyntaxError):
        pass
    raise ConfigError(
        "Source code is made of functions that are written in a file, unchanged since it was imported.",
        received=f"`{called(definition)}`, whose text can't be found",
        remedy="write it with `def` in a file, and import it from there",
    )


def names_used(text: str) -> list[str]:
    """The names that a definition takes from around it as they occur, and its own where it calls itself."""

    def tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
        yield table
        for child in table.get_children():
            yield from tables(child)

    top = symtable.symtable(text, "source", "exec")
    used = {
        symbol.get_name()
        for table in tables(top)
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (table is top or symbol.is_global())
    }
    occurring = (word.group() for word in re.finditer(r"\w+", text))
    return [name for name in dict.fromkeys(occurring) if name in used]


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The definition with other names for what it takes from around it, and for itself."""
    edits = Edits(text)
    used = names_used(text)
    for node in ast.walk(edits.tree):
        match node:
            case ast.Name(id=name) if name in names and (name in used or node.col_offset == 0):
                edits.replace(_start(node), _end(node), names[name])
    for top in edits.tree.body:
        if isinstance(top, _Function | ast.ClassDef) and top.name in names:
            word = "class" if isinstance(top, ast.ClassDef) else "def"
            begin = (top.lineno, len(word) + 1)
            edits.replace(begin, (top.lineno, begin[1] + len(top.name.encode())), names[top.name])
    return edits.applied()


def new_layer(x: Any, *, layer: Callable[..., Any], **arguments: Any) -> Any:
    """A Keras layer as a component: a new one each time that it is applied."""
    return layer(**arguments)(x)


class Edits:
    """Changes to places of a text, made all at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._lines = text.splitlines(keepends=True)
        self._changes: list[tuple[int, int, str]] = []

    def replace(self, start: Place, end: Place, new: str) -> None:
        """What is between two places becomes `new`; nothing where a change around it takes it away."""
        self._changes.append((self._at(start), self._at(end), new))

    def drop_lines(self, node: ast.stmt) -> None:
        """A statement goes, with its lines."""
        self.replace((node.lineno, 0), ((node.end_lineno or node.lineno) + 1, 0), "")

    def segment(self, node: ast.AST) -> str:
        """The text of an expression, on one line."""
        return " ".join((ast.get_source_segment(self.text, node) or "").split())

    def applied(self) -> str:
        """The text after all changes."""
        text, done = [], 0
        for start, end, new in sorted(self._changes, key=lambda change: (change[0], -change[1])):
            if start >= done:
                text += [self.text[done:start], new]
                done = end
        return "".join([*text, self.text[done:]])

    def _at(self, place: Place) -> int:
        line, column = place
        before = sum(map(len, self._lines[: line - 1]))
        return before + (
            len(self._lines[line - 1].encode()[:column].decode()) if line <= len(self._lines) else 0
        )


def _signature(edits: Edits, node: _Function, hints: Mapping[str, str | None], namespace: Any) -> str:
    """`def name(x, *, filters: int = 64):` and the decorators that matter, up to the body."""
    given = node.args
    firsts = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(firsts) - len(given.defaults))
    written = [
        _argument(edits, argument, default, hints)
        for argument, default in zip(firsts, [*defaults, *given.defaults], strict=True)
    ]
    if given.posonlyargs:
        written.insert(len(given.posonlyargs), "/")
    if given.vararg or given.kwonlyargs:
        written.append(f"*{given.vararg.arg if given.vararg else ''}")
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        written.append(_argument(edits, argument, default, hints))
    if given.kwarg:
        written.append(f"**{given.kwarg.arg}")
    gives = f" -> {hints['return']}" if hints.get("return") else ""
    margin = " " * node.col_offset
    kept = [d for d in node.decorator_list if namespace.get(getattr(d, "id", "")) is not component]
    decorators = "".join(f"@{edits.segment(decorator)}\n{margin}" for decorator in kept)
    head = laid_out(Bracketed(f"def {node.name}(", tuple(written), f"){gives}:"), node.col_offset)
    inline = node.body[0].lineno == node.lineno
    return f"{decorators}{head}\n{margin}    " if inline else f"{decorators}{head}\n"


def _argument(
    edits: Edits, argument: ast.arg, default: ast.expr | None, hints: Mapping[str, str | None]
) -> str:
    hint = hints.get(argument.arg)
    text = f"{argument.arg}: {hint}" if hint else argument.arg
    if default is None:
        return text
    return f"{text} = {edits.segment(default)}" if hint else f"{text}={edits.segment(default)}"


def _head(node: _Function) -> tuple[Place, Place]:
    """From the first decorator to where the body begins."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    body = node.body[0]
    line = min([body.lineno, *(d.lineno for d in getattr(body, "decorator_list", []))])
    return (first, node.col_offset), (line, body.col_offset if line == node.lineno else 0)


def _with_layers_as_parts(text: str, namespace: Mapping[str, Any]) -> str:
    """`Part` takes Keras's layer classes as components; the `partial` that it becomes doesn't."""
    edits = Edits(text)
    for node in ast.walk(edits.tree):
        if not isinstance(node, ast.Call) or namespace.get(getattr(node.func, "id", "")) is not Part:
            continue
        if node.args and _is_layer(node.args[0], namespace):
            edits.replace(_start(node.args[0]), _start(node.args[0]), "new_layer, layer=")
        for value in (given.value for given in node.keywords):
            if _is_layer(value, namespace):
                edits.replace(_start(value), _end(value), f"Part(new_layer, layer={edits.segment(value)})")
    return edits.applied()


def _is_layer(node: ast.expr, namespace: Mapping[str, Any]) -> bool:
    match node:
        case ast.Name(id=name):
            return isinstance(namespace.get(name), type)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return isinstance(getattr(namespace.get(name), attribute, None), type)
    return False


def _hints(definition: Any) -> dict[str, str | None]:
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
        return f"Literal[{', '.join(map(_option, inside))}]"
    if hint is Ellipsis:
        return "..."
    parts = [_written(each) for each in inside]
    if None in parts:
        return None
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(str, parts))
    if origin in (tuple, list, dict):
        return f"{origin.__name__}[{', '.join(map(str, parts))}]"
    return hint.__name__ if hint in (int, float, str, bool, tuple, list, dict) else None


def _option(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _start(node: ast.expr) -> Place:
    return node.lineno, node.col_offset


def _end(node: ast.expr) -> Place:
    return node.end_lineno or node.lineno, node.end_col_offset or 0
