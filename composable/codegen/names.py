"""Names in Python text: which a definition uses, where a module has them from, and how they are changed.

A name comes from a module's own text, another module's, or an import that stays one. Text is changed by its
syntax tree.
"""

from __future__ import annotations

import ast
import inspect
import re
import symtable
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

_INSTALLED = tuple(
    Path(sysconfig.get_paths()[kind]) for kind in ("stdlib", "platstdlib", "purelib", "platlib")
)
Place = tuple[int, int]  # line from 1 and byte from 0, as `ast` counts


def is_own(module: str) -> bool:
    """Whether a module's text is taken over: Composable's and the user's, not what is installed."""
    if module.partition(".")[0] == "composable":
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:  # a notebook, or what Python has built in
        return module == "__main__"
    return not any(Path(file).is_relative_to(folder) for folder in _INSTALLED)


@dataclass(frozen=True)
class Statement:
    """A statement at a module's top level.

    Attributes:
        node: Its tree.
        text: With the comments that belong to it.
        makes: The names that it binds.
    """

    node: ast.stmt
    text: str
    makes: tuple[str, ...]


@lru_cache(maxsize=256)
def statement(module: str, name: str) -> Statement | None:
    """The assignment or import at a module's top level that makes `name`.

    None where the module's text can't be had, or makes the name in another way.
    """
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError, KeyError):
        return None
    body = ast.parse(source).body
    for number, node in enumerate(body):
        if name in (makes := _made(node)):
            text = _with_comments(source.splitlines(), node, body[number + 1 : number + 2])
            return Statement(node, text, makes)
    return None


def imported_from(module: str, name: str) -> tuple[str, str] | None:
    """The module and the name that `from module import name` at a module's top level names."""
    found = statement(module, name)
    if found is None or not isinstance(node := found.node, ast.ImportFrom):
        return None
    return node.module or "", next(each.name for each in node.names if (each.asname or each.name) == name)


def import_of(module: ModuleType) -> tuple[str, str]:
    """How a module is imported: `from keras import layers`, or `import numpy`."""
    parent, _, last = module.__name__.rpartition(".")
    return (parent, last) if parent else (module.__name__, "")


def _made(node: ast.stmt) -> tuple[str, ...]:
    match node:
        case ast.Assign(targets=targets):
            nodes = (each for target in targets for each in ast.walk(target))
            return tuple(each.id for each in nodes if isinstance(each, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return (name,)
        case ast.ImportFrom(names=names):
            return tuple(each.asname or each.name for each in names)
    return ()


def _with_comments(lines: list[str], node: ast.stmt, following: list[ast.stmt]) -> str:
    first, last = node.lineno, node.end_lineno or node.lineno
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    match following:
        case [ast.Expr(value=ast.Constant(value=str())) as explained]:
            last = explained.end_lineno or last
    return "\n".join(lines[first - 1 : last])


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
        """A statement goes, with its lines and a blank one after it."""
        following = (node.end_lineno or node.lineno) + 1
        blank = following <= len(self._lines) and not self._lines[following - 1].strip()
        self.replace((node.lineno, 0), (following + blank, 0), "")

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
                edits.replace(start_of(node), end_of(node), names[name])
    for top in edits.tree.body:
        if isinstance(top, ast.FunctionDef | ast.ClassDef) and top.name in names:
            word = "class" if isinstance(top, ast.ClassDef) else "def"
            begin = (top.lineno, len(word) + 1)
            edits.replace(begin, (top.lineno, begin[1] + len(top.name.encode())), names[top.name])
    return edits.applied()


def start_of(node: ast.expr) -> Place:
    """Where an expression begins."""
    return node.lineno, node.col_offset


def end_of(node: ast.expr) -> Place:
    """Where an expression ends."""
    return node.end_lineno or node.lineno, node.end_col_offset or 0
