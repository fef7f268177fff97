"""The text of a component as a user would write it in a file of its own, without Composable.

The body stays as its author wrote it, comments and all; the signature is written anew.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any, Literal

import keras

from composable.codegen.layout import Bracketed, flat, laid_out, literal
from composable.codegen.names import Edits, Place, end_of, is_own, start_of
from composable.core.errors import ConfigError
from composable.design.metaparameters import called
from composable.design.part import Part, component

_FOR_LINTERS = re.compile(r"  # (?:noqa|type: ignore|pyright)\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class Plain:
    """A definition's text, and what it imported inside from the modules whose text is taken over as well."""

    text: str
    imported: Mapping[str, object] = field(default_factory=dict)


def plain_function(function: types.FunctionType) -> Plain:
    """A function without `@component`, Composable's annotations and imports of modules that are taken over.

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
    text, imported = _without_modules(own_text(function), function.__globals__)
    namespace = {**function.__globals__, **imported}
    edits = Edits(_with_layers_as_parts(text, namespace))
    top = edits.tree.body[0]
    for node in ast.walk(top):
        match node:
            case ast.FunctionDef():
                hints = hints_of(function) if node is top else {}
                edits.replace(*_head(node), _signature(edits, node, hints, namespace))
            case ast.AnnAssign(target=target, annotation=_, value=ast.expr() as value):
                edits.replace(end_of(target), start_of(value), " = ")
            case ast.ImportFrom(module=str(module)) if is_own(module):
                edits.drop_lines(node)
                found = importlib.import_module(module)
                imported |= {each.asname or each.name: getattr(found, each.name) for each in node.names}
    return Plain(_FOR_LINTERS.sub("", edits.applied()).strip("\n"), imported)


def plain_constant(text: str, namespace: Mapping[str, Any]) -> Plain:
    """An assignment without its annotation."""
    text, imported = _without_modules(text, namespace)
    edits = Edits(_with_layers_as_parts(text, {**namespace, **imported}))
    for node in edits.tree.body:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            edits.replace(end_of(node.target), start_of(node.value), " = ")
    return Plain(_FOR_LINTERS.sub("", edits.applied()), imported)


def plain_class(kind: type) -> Plain:
    """A class with its methods' and fields' annotations made plain."""
    edits = Edits(own_text(kind))
    for node in ast.walk(edits.tree):
        match node:
            case ast.FunctionDef():
                method = vars(kind).get(node.name)
                method = method.fget if isinstance(method, property) else method
                hints = hints_of(method) if inspect.isfunction(method) else {}
                edits.replace(*_head(node), _signature(edits, node, hints, {}))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                edits.replace(start_of(annotation), end_of(annotation), hints_of(kind).get(name) or "object")
    return Plain(_FOR_LINTERS.sub("", edits.applied()).strip("\n"))


def refitted(text: str) -> str:
    """A plain function whose signature, after names in it changed, is laid out again."""
    edits = Edits(text)
    node = edits.tree.body[0]
    if isinstance(node, ast.FunctionDef):
        parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        hints = {each.arg: edits.segment(each.annotation) for each in parameters if each.annotation}
        hints |= {"return": edits.segment(node.returns)} if node.returns else {}
        edits.replace(*_head(node), _signature(edits, node, hints, {}))
    return edits.applied()


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


def new_layer(x: Any, *, layer: Callable[..., Any], **arguments: Any) -> Any:
    """A Keras layer as a component: a new one each time that it is applied."""
    return layer(**arguments)(x)


def _signature(edits: Edits, node: ast.FunctionDef, hints: Mapping[str, str | None], namespace: Any) -> str:
    """`def name(x, *, filters: int = 64):` and the decorators that matter, up to the body."""
    arguments = node.args
    firsts = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(firsts) - len(arguments.defaults))
    written = [
        _argument(edits, argument, default, hints)
        for argument, default in zip(firsts, [*defaults, *arguments.defaults], strict=True)
    ]
    if arguments.posonlyargs:
        written.insert(len(arguments.posonlyargs), "/")
    if arguments.vararg or arguments.kwonlyargs:
        written.append(f"*{arguments.vararg.arg if arguments.vararg else ''}")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        written.append(_argument(edits, argument, default, hints))
    if arguments.kwarg:
        written.append(f"**{arguments.kwarg.arg}")
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


def _head(node: ast.FunctionDef) -> tuple[Place, Place]:
    """From the first decorator to where the body begins."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    body = node.body[0]
    line = min([body.lineno, *(d.lineno for d in getattr(body, "decorator_list", []))])
    return (first, node.col_offset), (line, body.col_offset if line == node.lineno else 0)


def _without_modules(text: str, namespace: Mapping[str, Any]) -> tuple[str, dict[str, object]]:
    """`composable.Part` becomes `Part`, as modules whose text is taken over go; and what each name means."""
    edits, meant = Edits(text), {}
    for node in ast.walk(edits.tree):
        if not isinstance(node, ast.Attribute):
            continue
        path = edits.segment(node).split(".")
        module = namespace.get(path[0])
        for name in path[1:-1]:
            module = getattr(module, name, None)
        if isinstance(module, types.ModuleType) and is_own(module.__name__) and hasattr(module, path[-1]):
            found = getattr(module, path[-1])
            if not isinstance(found, types.ModuleType):
                edits.replace(start_of(node), end_of(node), path[-1])
                meant[path[-1]] = found
    return edits.applied(), meant


def _with_layers_as_parts(text: str, namespace: Mapping[str, Any]) -> str:
    """`Part` takes Keras's layer classes as components; the `partial` that it becomes doesn't."""
    edits = Edits(text)
    for node in ast.walk(edits.tree):
        if not isinstance(node, ast.Call) or namespace.get(getattr(node.func, "id", "")) is not Part:
            continue
        if node.args and _is_layer(node.args[0], namespace):
            edits.replace(start_of(node.args[0]), start_of(node.args[0]), "new_layer, layer=")
        for value in (keyword.value for keyword in node.keywords):
            if _is_layer(value, namespace):
                edits.replace(
                    start_of(value), end_of(value), f"Part(new_layer, layer={edits.segment(value)})"
                )
    return edits.applied()


def _is_layer(node: ast.expr, namespace: Mapping[str, Any]) -> bool:
    match node:
        case ast.Name(id=name):
            return isinstance(namespace.get(name), type)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return isinstance(getattr(namespace.get(name), attribute, None), type)
    return False


def hints_of(definition: Any) -> dict[str, str | None]:
    """Each annotation as plain Python, or None where it says nothing without Composable."""
    try:
        return {name: _written(hint) for name, hint in typing.get_type_hints(definition).items()}
    except (NameError, TypeError, AttributeError):  # annotated with what isn't there
        return {}


def _written(hint: Any) -> str | None:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is type(None):
        return "None"
    if origin is Literal:
        return f"Literal[{', '.join(flat(literal(each)) for each in arguments)}]"
    if hint is Ellipsis:
        return "..."
    if hint is keras.Model:
        return "keras.Model"
    parts = [_written(each) for each in arguments]
    if None in parts:
        return origin.__name__ if origin in (tuple, list, dict) else None
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(str, parts))
    if origin in (tuple, list, dict):
        return f"{origin.__name__}[{', '.join(map(str, parts))}]"
    return hint.__name__ if hint in (int, float, str, bool, tuple, list, dict) else None
