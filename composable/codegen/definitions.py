"""All definitions that components take, transitively and callees first, under names that don't clash."""

from __future__ import annotations

import builtins
import functools
import inspect
import sys
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from composable.codegen.layout import assigned, laid_out, literal
from composable.codegen.names import import_of, imported_from, is_own, names_used, renamed, statement
from composable.codegen.standalone import (
    Plain,
    new_layer,
    plain_class,
    plain_constant,
    plain_function,
    refitted,
)
from composable.core.errors import ConfigError
from composable.design.metaparameters import called
from composable.design.part import Part

Key = tuple[str, str]  # the module, and the name in it; an empty name for the module itself
_ANYWHERE = {"Literal": typing.Literal, "Part": Part, "new_layer": new_layer}  # what plain texts bring along
_KERAS = ("layers", "ops", "activations", "initializers", "regularizers", "constraints", "saving")


@dataclass(frozen=True)
class Reference:
    """What a name stands for: something defined or imported, and what is taken from it (`.Dense`)."""

    key: Key
    suffix: str = ""


@dataclass(frozen=True)
class Definition:
    """One constant, function or class.

    Attributes:
        name: As its author called it.
        text: Its source, made plain.
        refers: What the names in it stand for.
        constant: Whether it needs nothing but imports and other constants.
    """

    name: str
    text: str
    refers: Mapping[str, Reference]
    constant: bool


@dataclass
class Definitions:
    """What was gathered so far.

    Attributes:
        found: Callees first.
        imports: Under which name each import is known.
        reserved: Names that the program takes for itself.
    """

    reserved: frozenset[str]
    found: dict[Key, Definition] = field(default_factory=dict)
    imports: dict[Key, str] = field(default_factory=dict)
    _opened: set[Key] = field(default_factory=set)

    def add(self, value: Any) -> Reference:
        """A component, and all that it refers to.

        Raises:
            ConfigError: If the text of something can't be had.
        """
        value = inspect.unwrap(value) if callable(value) else value
        if value is Part:
            value = functools.partial
        if isinstance(value, ModuleType):
            return self.imported(import_of(value))
        module, name = getattr(value, "__module__", None) or "builtins", called(value)
        if module.startswith("keras."):
            return self._keras(value)
        if not is_own(module):
            return self.imported((module, name))
        if inspect.isfunction(value):
            return self._defined((module, name), lambda: plain_function(value), vars(sys.modules[module]))
        if inspect.isclass(value):
            return self._defined((module, name), lambda: plain_class(value), vars(sys.modules[module]))
        raise ConfigError(
            "Source code is made of functions and Keras layers.",
            received=f"a component of type {type(value).__name__}",
            remedy="write it as a function `(x, *, metaparameters) -> x`",
        )

    def names(self) -> dict[Key, str]:
        """A name of its own for everything: the author's, with the module's before it where two are alike."""
        names = dict(self.imports)
        taken = {*self.reserved, *self.imports.values()}
        wanted = Counter(definition.name for definition in self.found.values())
        for key, definition in self.found.items():
            name = definition.name
            if wanted[name] > 1 or name in taken:
                name = _prefixed(key[0].rpartition(".")[2], name)
            while name in taken:
                name += "_"
            taken.add(name)
            names[key] = name
        return names

    def texts(self, names: Mapping[Key, str]) -> tuple[list[str], list[str]]:
        """The constants, and the functions and classes with the constants made of them, in their order."""
        constants, others = [], []
        for key, definition in self.found.items():
            meant = {old: names[to.key] + to.suffix for old, to in definition.refers.items()}
            meant[definition.name] = names[key]
            changed = {old: new for old, new in meant.items() if old != new}
            text = refitted(renamed(definition.text, changed)) if changed else definition.text
            (constants if definition.constant else others).append(text)
        return [*filter(None, constants)], [*filter(None, others)]

    def imported(self, key: Key, alias: str = "") -> Reference:
        """`from module import name`; with an empty name `import module`."""
        name = alias or key[1] or key[0]
        self.imports.setdefault(key, name)
        return Reference(key)

    def _keras(self, value: Any) -> Reference:
        import keras

        for module in _KERAS:
            if getattr(getattr(keras, module), value.__name__, None) is value:
                return Reference(self.imported(("keras", module)).key, f".{value.__name__}")
        if getattr(keras, value.__name__, None) is value:
            return Reference(self.imported(("keras", "")).key, f".{value.__name__}")
        return self.imported((value.__module__, value.__name__))

    def _defined(self, key: Key, make: Callable[[], Plain], namespace: Mapping[str, Any]) -> Reference:
        if key not in self.found and key not in self._opened:  # functions may call each other
            self._opened.add(key)
            plain = make()
            refers = self._refers(plain.text, key, {**_ANYWHERE, **namespace, **plain.imported})
            self.found.setdefault(key, Definition(key[1], plain.text, refers, constant=False))
        return Reference(key)

    def _refers(self, text: str, key: Key, namespace: Mapping[str, Any]) -> dict[str, Reference]:
        found = {}
        for name in names_used(text):
            if name != key[1] and name in namespace and name not in vars(builtins):
                found[name] = self._named(key[0], name, namespace[name])
        return found

    def _named(self, module: str, name: str, value: Any) -> Reference:
        """What a name at a module's top level stands for."""
        if isinstance(value, ModuleType) and not is_own(value.__name__):
            key = import_of(value)
            return self.imported(key, name if name != value.__name__ else "")
        if inspect.isclass(value) or inspect.isfunction(inspect.unwrap(value) if callable(value) else value):
            return self.add(value)
        if source := imported_from(module, name):
            if not is_own(source[0]):
                return self.imported(source, name)
            return self._named(*source, value)
        return self._constant((module, name), value)

    def _constant(self, key: Key, value: Any) -> Reference:
        if key in self.found:
            return Reference(key)
        known = statement(*key)
        namespace = vars(sys.modules[key[0]])
        written = known.text if known else laid_out(assigned(key[1], literal(value), " = "))
        plain = plain_constant(written, namespace)
        refers = self._refers(plain.text, key, {**_ANYWHERE, **namespace, **plain.imported})
        made = (self.found.get(to.key) for to in refers.values() if to.key not in self.imports)
        first = all(each is not None and each.constant for each in made)
        self.found.setdefault(key, Definition(key[1], plain.text, refers, constant=first))
        for other in known.makes if known else ():  # A, B = 1, 2: one text for both
            self.found.setdefault((key[0], other), Definition(other, "", {}, constant=first))
        return Reference(key)


def import_lines(imports: Mapping[Key, str]) -> str:
    """One block as linters sort it: Python's own modules, then those installed."""
    plain, several = [], {}
    for (module, name), alias in imports.items():
        if not name:
            plain.append((module, f"import {module}" + (f" as {alias}" if alias != module else "")))
        else:
            several.setdefault(module, []).append(name if alias == name else f"{name} as {alias}")
    taken = [(module, _from(module, names)) for module, names in several.items()]
    groups = []
    for standard in (True, False):
        group = [
            line
            for lines in (plain, taken)
            for module, line in sorted(lines)
            if (module.partition(".")[0] in sys.stdlib_module_names) == standard
        ]
        if group:
            groups.append("\n".join(group))
    return "\n\n".join(groups)


def _from(module: str, names: Iterable[str]) -> str:
    ordered = sorted(names, key=lambda name: (not name.isupper(), not name[:1].isupper(), name))
    return f"from {module} import {', '.join(ordered)}"


def _prefixed(module: str, name: str) -> str:
    private = "_" if name.startswith("_") else ""
    prefix = module.strip("_").upper() if name.isupper() else module.strip("_")
    return f"{private}{prefix}_{name.lstrip('_')}"
