"""Source code of an architecture: plain Keras that reads as the paper's figure and needs no Composable.

The components are written as their authors wrote them, and applied in the order in which
`composable.design.building` applies them, one line per part, so that the weights of one model fit the other.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from composable.codegen.definitions import Definitions, import_lines
from composable.codegen.layout import (
    STEP,
    Bracketed,
    Node,
    assigned,
    call,
    flat,
    laid_out,
    literal,
    quoted,
    several,
)
from composable.codegen.standalone import new_layer
from composable.design.architecture import SECTIONS, Architecture, Task, in_order
from composable.design.building import outline
from composable.design.inputs import Input, Inputs, as_inputs
from composable.design.metaparameters import names as names_of
from composable.design.openings import children
from composable.design.part import Part, as_part
from composable.design.taps import named

_BACKEND = '"KERAS_BACKEND"'  # which Keras reads as it is imported
_MAIN = 'if __name__ == "__main__":\n    build().summary()'
LOCALS = frozenset({"inputs", "x", "encoding", "outputs"})


def source(architecture: Architecture, inputs: Inputs, *, name: str) -> str:
    """A Python file that builds the same model with Keras alone.

    Args:
        architecture: With nothing open.
        inputs: What the model takes, as for `Architecture.build`.
        name: Of the model.

    Raises:
        ConfigError: If the architecture can't be built, or the text of a component can't be had.
    """
    model, _ = outline(architecture, inputs)
    definitions = Definitions(reserved=frozenset({"build", *LOCALS}))
    gather(architecture, definitions)
    about = f"{name}: {model.count_params():,} parameters."
    function = Builder(definitions).function(architecture, inputs, name=name, about=about)
    return program(f"{name} as plain Keras: nothing else is needed.", definitions, [function, _MAIN])


def program(heading: str, definitions: Definitions, functions: Iterable[str]) -> str:
    """A complete file: what it is, what it imports, constants, components, and `functions` after them."""
    constants, components = definitions.texts(definitions.names())
    chosen = f"import os\n\nos.environ.setdefault({_BACKEND}, {quoted(keras.backend.backend())})"
    imports = import_lines(definitions.imports)
    top = [_docstring(heading, definitions), chosen, imports, "\n".join(constants)]
    return "\n\n\n".join(["\n\n".join(filter(None, top)), *components, *functions]) + "\n"


def _docstring(heading: str, definitions: Definitions) -> str:
    """The heading, and what the families' docstrings say: the paper, and where to read it."""
    modules = dict.fromkeys(module for module, _ in definitions.found)
    families = [name for name in modules if name.startswith("composable.zoo.")]
    docstrings = [inspect.cleandoc(sys.modules[name].__doc__ or "") for name in families]
    text = "\n\n".join([heading, *filter(None, docstrings)])
    return f'"""{text}\n"""' if docstrings else f'"""{text}"""'


def gather(architecture: Architecture, definitions: Definitions) -> None:
    """Add everything that the architecture's source refers to."""
    for needed in (keras, keras.layers):
        definitions.add(needed)
    trunk = [part for section in SECTIONS for part in _parts_of(architecture, section)]
    for part in (*trunk, *(task.part for task in architecture.tasks)):
        for nested in _inside(part):
            if _is_layer(nested.component):
                definitions.add(new_layer)
            if _is_layer(nested.component) or _not_default(nested):
                definitions.add(functools.partial)
            definitions.add(_kind(nested.component))
        definitions.add(_kind(part.component))


class Builder:
    """Writes architectures, all of whose components have got names."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._names = definitions.names()

    def function(
        self, architecture: Architecture, inputs: Inputs, *, name: str, about: str, called: str = "build"
    ) -> str:
        """`def build() -> keras.Model` from the inputs to the predictions.

        Args:
            architecture: What it builds.
            inputs: What the model takes.
            name: The model's.
            about: The function's docstring.
            called: The function.
        """
        lines = [f'"""{about}"""', self._line("inputs", _inputs(inputs))]
        x = "inputs"
        for section in SECTIONS:
            for part in _parts_of(architecture, section):
                lines.append(self._line("x", self._applied(part, x)))
                x = "x"
        lines.append(f'encoding = layers.Identity(name="encoding")({x})')
        lines += self._tasks(architecture.tasks)
        lines.append(f"return keras.Model(inputs, outputs, name={quoted(name)})")
        return "\n".join([f"def {called}() -> keras.Model:", *(f"    {line}" for line in lines)])

    def _tasks(self, tasks: tuple[Task, ...]) -> Iterator[str]:
        if len(tasks) > 1:
            yield "outputs = {}"
        for number, task in enumerate(tasks):
            earlier = [f"outputs[{quoted(each.name)}]" for each in tasks[:number]]
            target = f"outputs[{quoted(task.name)}]" if len(tasks) > 1 else "outputs"
            x = "encoding" if task.reads == "encoding" else _read(task, earlier)
            yield self._line(target, self._predicted(task, x))

    def _predicted(self, task: Task, x: Node) -> Node:
        component = task.part.component
        if "name" in names_of(component) and not isinstance(component, type):
            unnamed = inspect.signature(component).parameters["name"].default
            arguments = {"name": quoted(task.name)} if task.name != unnamed else {}
            return self._applied(task.part, x, **arguments)
        tap = quoted(named(task.name, "probabilities"))
        return Bracketed(f"layers.Identity(name={tap})(", (self._applied(task.part, x),))

    def _applied(self, part: Part, x: Node, **more: Node) -> Node:
        """A part applied to `x`."""
        if not _is_layer(part.component):
            return call(self._name(part), x, **{**self._arguments(part), **more})
        made = call(self._name(part), **self._layer_arguments(part))
        return Bracketed(made.opening, made.items, f")({flat(x)})")

    def _value(self, value: Any) -> Node:
        return literal(value, lambda each: self._part(each) if isinstance(each, Part) else None)

    def _part(self, part: Part) -> Node:
        """A part as a metaparameter of another one."""
        if _is_layer(part.component):
            return call(
                "partial", self.called(new_layer), layer=self._name(part), **self._layer_arguments(part)
            )
        arguments = self._arguments(part)
        return call("partial", self._name(part), **arguments) if arguments else self._name(part)

    def _arguments(self, part: Part) -> dict[str, Node]:
        return {name: self._value(value) for name, value in _not_default(part).items()}

    def _layer_arguments(self, part: Part) -> dict[str, Node]:
        layer = part.component
        config = _configured(layer) if isinstance(layer, keras.Layer) else {}
        return {
            name: self._value(value) if name in part.metaparameters else literal(value, self._restored)
            for name, value in {**config, **part.metaparameters}.items()
        }

    def _restored(self, value: Any) -> Node | None:
        """An object of a layer's configuration, such as an initializer."""
        match value:
            case {"module": str(module), "class_name": str(kind), "config": dict(config)}:
                arguments = {name: literal(item) for name, item in config.items() if item is not None}
                return call(f"{module}.{kind}", **arguments)
        return None

    def _name(self, part: Part) -> str:
        return self.called(_kind(part.component))

    def called(self, component: Any) -> str:
        """The name of a component that was gathered."""
        reference = self._definitions.add(component)
        return self._names[reference.key] + reference.suffix

    def _line(self, target: str, node: Node) -> str:
        return laid_out(assigned(target, node, " = "), STEP)


def _parts_of(architecture: Architecture, section: str) -> list[Part]:
    return [part for _, part in in_order(getattr(architecture, section), section)]


def _inside(part: Part) -> Iterator[Part]:
    """The parts among a part's metaparameters, innermost first."""

    def parts(value: Any) -> Iterator[Part]:
        if isinstance(value, Part):
            yield from _inside(value)
            yield value
        else:
            for _, child in children(value):
                yield from parts(child)

    for value in (part.metaparameters if _is_layer(part.component) else _not_default(part)).values():
        yield from parts(value)


def _not_default(part: Part) -> dict[str, Any]:
    """The metaparameters of a function that aren't what it takes by default."""
    usual = {name: as_part(p.default) for name, p in inspect.signature(part.component).parameters.items()}
    items = part.metaparameters.items()
    return {k: v for k, v in items if k not in usual or (type(v), v) != (type(usual[k]), usual[k])}


def _is_layer(component: Any) -> bool:
    return isinstance(component, type | keras.Layer)


def _kind(component: Any) -> Any:
    """What has a name: the class, if the component is a layer."""
    return type(component) if isinstance(component, keras.Layer) else component


def _configured(layer: keras.Layer) -> dict[str, Any]:
    """What a layer was made with, as far as it isn't what its class takes by default."""
    config = {name: value for name, value in layer.get_config().items() if name != "name"}
    parameters = inspect.signature(type(layer)).parameters
    needed = {name for name, p in parameters.items() if name in config and p.default is p.empty}
    usual = type(layer)(**{name: config[name] for name in needed}).get_config()
    return {name: value for name, value in config.items() if name in needed or value != usual.get(name)}


def _inputs(inputs: Inputs) -> Node:
    match as_inputs(inputs):
        case Input() as one:
            return _input(one)
        case named_inputs:
            items = ((quoted(name), _input(i, name=quoted(name))) for name, i in named_inputs.items())
            return several((assigned(name, made, ": ") for name, made in items), "{}")


def _input(one: Input, **more: Node) -> Node:
    typed = {"dtype": quoted(one.dtype)} if one.dtype != "float32" else {}
    return call("keras.Input", literal(one.shape), **typed, **more)


def _read(task: Task, earlier: list[str]) -> Node:
    """The layer that a task reads, somewhere between the inputs and what was made of them."""
    made = several(["encoding", *earlier], "[]") if earlier else "encoding"
    layer = quoted(task.reads.replace("/", "_"))
    return Bracketed("keras.Model(", ("inputs", made), f").get_layer({layer}).output")
