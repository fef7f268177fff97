"""Changes to Python text by its syntax tree: places, names, scopes."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Mapping

Place = tuple[int, int]  # line from 1 and byte from 0, as `ast` counts


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
