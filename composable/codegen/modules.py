"""Where a name of a module comes from: its own text, another module's, or an import that stays one."""

from __future__ import annotations

import ast
import inspect
import sys
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

_INSTALLED = tuple(
    Path(sysconfig.get_paths()[kind]) for kind in ("stdlib", "platstdlib", "purelib", "platlib")
)


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
