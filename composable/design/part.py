"""A part is a component with its metaparameters, some of which may be left open for a search.

It is a `functools.partial` that prints, compares and becomes JSON.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar
from weakref import WeakSet

from composable.core.errors import ConfigError
from composable.design.choice import Choice, exact, plain
from composable.design.metaparameters import called, check
from composable.design.trail import step

Component = Callable[..., Any]  # (x, *, metaparameters) -> x
Registered = TypeVar("Registered", bound=Component)

COMPONENTS: dict[str, Component] = {}
_EVER: WeakSet[Component] = WeakSet()  # a module that is run again leaves its earlier functions in use


def component(function: Registered) -> Registered:
    """Register a function, or a Keras layer class, under its family's and its own name (`resnet.bottleneck`).

    Only JSON needs it: a part takes any function.

    Raises:
        ConfigError: If another one has that name.
    """
    name = name_of(function)
    known = COMPONENTS.get(name, function)
    # The same file run again (a notebook's cell, a module reloaded) replaces what it registered before.
    if _defined_in(known) != _defined_in(function):
        raise ConfigError(
            f"There is one component named {name!r}.",
            received=f"{'.'.join(_defined_in(function))}, after {'.'.join(_defined_in(known))}",
            remedy="rename the function, or the file it is in",
        )
    COMPONENTS[name] = function
    _EVER.add(function)
    return function


def is_registered(function: Component) -> bool:
    """Whether JSON may name it: it is registered, or was until its file was run again."""
    return isinstance(function, Hashable) and hasattr(function, "__name__") and function in _EVER


def name_of(function: Component) -> str:
    """The name that JSON uses: the module's last word and the function's name; `keras.Dense` for Keras's."""
    module = getattr(function, "__module__", None) or "nowhere"
    family = "keras" if module.startswith("keras.src.") else module.rpartition(".")[2]
    return f"{family}.{function.__name__}"


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Part:
    """A component with some of its metaparameters filled in.

    Args:
        component: A function `(x, *, metaparameters) -> x`, a Keras layer class, a Keras layer, or a
            `functools.partial` of one, which is taken apart.
        metaparameters: By name. Functions and layer classes among them become parts, lists become tuples; a
            `Choice` or `Between` leaves one open. What isn't given here, the caller of the part gives, or the
            default holds.

    Raises:
        ConfigError: If the component takes no such metaparameter, or not this value.
    """

    component: Component
    metaparameters: Mapping[str, Any]

    def __init__(self, component: Component, /, **metaparameters: Any) -> None:
        component, bound = _taken_apart(component, metaparameters)
        metaparameters = {name: plain(value) for name, value in bound.items()}
        check(component, metaparameters)
        if not is_layer_class(component):  # Keras's own take initializers and activations as they are
            metaparameters = {name: as_part(value) for name, value in metaparameters.items()}
        object.__setattr__(self, "component", component)
        object.__setattr__(self, "metaparameters", MappingProxyType(metaparameters))

    def __call__(self, x: Any, /, **metaparameters: Any) -> Any:
        """Apply the component to `x`; metaparameters given here are added to the part's own."""
        return self.at(None, x, **metaparameters)

    def at(self, path: str | None, x: Any, /, **metaparameters: Any) -> Any:
        """As `part(x)`, at its path in the architecture: `learner.2`."""
        with step(self, x, path) as taken:
            taken.output = _applied(self.component, x, {**self.metaparameters, **metaparameters})
        return taken.output

    def replace(self, **metaparameters: Any) -> Part:
        """The same component with these metaparameters given or changed."""
        return Part(self.component, **{**self.metaparameters, **metaparameters})

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Part)
            and _same(self.component, other.component)
            and exact(self.metaparameters) == exact(other.metaparameters)
        )

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.metaparameters)))

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Part, self.component, **self.metaparameters), ()

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.metaparameters.items())
        return f"{self.name}({settings})"

    @property
    def name(self) -> str:
        """The component's name."""
        known = inspect.isfunction(self.component) or inspect.isclass(self.component)
        return name_of(self.component) if known else called(self.component)


def as_part(value: Any) -> Any:
    """A function, a Keras layer class or a Keras layer as a part, also in tuples and options; else itself."""
    match value:
        case tuple():
            return tuple(as_part(item) for item in value)
        case Choice(options, name):
            return Choice(tuple(as_part(option) for option in options), name)
    return Part(value) if _is_component(value) else value


def is_layer_class(value: Any) -> bool:
    """Whether it is a class of Keras layers; found out without Keras, which a description doesn't need."""
    return inspect.isclass(value) and hasattr(value, "compute_output_spec") and hasattr(value, "from_config")


def _is_component(value: Any) -> bool:
    """Not any callable: an initializer is one, and so is Keras's `relu`, which an activation may be."""
    if inspect.isfunction(value) or inspect.ismethod(value):
        return not (value.__module__ or "").startswith("keras.")
    return isinstance(value, partial) or is_layer_class(value) or is_layer_class(type(value))


def _taken_apart(component: Any, metaparameters: Mapping[str, Any]) -> tuple[Component, Mapping[str, Any]]:
    """The function behind partial ones and parts, with what these give it."""
    if isinstance(component, Part):
        return component.component, {**component.metaparameters, **metaparameters}
    if isinstance(component, partial) and not component.args:
        return _taken_apart(component.func, {**component.keywords, **metaparameters})
    if not callable(component) or isinstance(component, partial) or not isinstance(component, Hashable):
        raise ConfigError(
            "A part is made of a function, a Keras layer class or a Keras layer.",
            received=f"{component!r}"[:200],
            remedy="write a function `(x, *, metaparameters) -> x`",
        )
    return component, metaparameters


def _same(one: Component, other: Component) -> bool:
    """Also before and after the file of a registered one was run again."""
    return one == other or (is_registered(one) and is_registered(other) and name_of(one) == name_of(other))


def _applied(component: Any, x: Any, metaparameters: Mapping[str, Any]) -> Any:
    if inspect.isclass(component):  # a Keras layer class
        layer: Any = component(**metaparameters)
        return layer(x)
    if hasattr(component, "get_config"):  # a Keras layer: a new one each time, or blocks would share weights
        config: dict[str, Any] = component.get_config()
        config.pop("name")
        return type(component).from_config({**config, **metaparameters})(x)
    return component(x, **metaparameters)


def _defined_in(function: Component) -> tuple[str, str]:
    return function.__module__, getattr(function, "__qualname__", "")
