"""A part is a component with its metaparameters, some of which may be left open for a search.

It is a `functools.partial` that prints, compares and becomes JSON.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from composable.design.metaparameters import called, check
from composable.design.trail import step

Component = Callable[..., Any]  # (x, *, metaparameters) -> x
Registered = TypeVar("Registered", bound=Component)

COMPONENTS: dict[str, Component] = {}


def component(function: Registered) -> Registered:
    """Register a function, or a Keras layer class, under its family's and its own name (`resnet.bottleneck`).

    Only JSON needs it: a part takes any function.

    Raises:
        ValueError: If another one has that name.
    """
    name = name_of(function)
    known = COMPONENTS.setdefault(name, function)
    # The same file run again (a notebook's cell, a module reloaded) replaces what it registered before.
    if known is not function and _origin(known) != _origin(function):
        raise ValueError(f"A component named {name!r} is already registered.")
    COMPONENTS[name] = function
    return function


def name_of(function: Component) -> str:
    """The name that JSON uses: the module's last word and the function's name; `keras.Dense` for Keras's."""
    if function.__module__.startswith("keras.src."):
        return f"keras.{function.__name__}"
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


@dataclass(frozen=True, init=False, repr=False)
class Part:
    """A component with some of its metaparameters filled in.

    Args:
        component: A function `(x, *, metaparameters) -> x`, a Keras layer class, or a Keras layer.
        metaparameters: By name. Functions and layer classes among them become parts; a `Choice` or `Between`
            leaves one open. What isn't given here, the caller of the part gives, or the default holds.

    Raises:
        ConfigError: If the component takes no such metaparameter, or not this value.
    """

    component: Component
    metaparameters: Mapping[str, Any]

    def __init__(self, component: Component, /, **metaparameters: Any) -> None:
        check(component, metaparameters)
        wrapped = {name: as_part(value) for name, value in metaparameters.items()}
        object.__setattr__(self, "component", component)
        object.__setattr__(self, "metaparameters", MappingProxyType(wrapped))

    def __call__(self, x: Any, **metaparameters: Any) -> Any:
        """Apply the component to `x`; metaparameters given here are added to the part's own."""
        return self.at(None, x, **metaparameters)

    def at(self, path: str | None, x: Any, /, **metaparameters: Any) -> Any:
        """As `part(x)`, at a place of its own in the architecture: `learner.2`."""
        with step(self, x, path) as taken:
            taken.output = _applied(self.component, x, {**self.metaparameters, **metaparameters})
        return taken.output

    def replace(self, **metaparameters: Any) -> Part:
        """The same component with these metaparameters given or changed."""
        return Part(self.component, **{**self.metaparameters, **metaparameters})

    def __hash__(self) -> int:
        return hash((self.component, frozenset(self.metaparameters)))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.metaparameters.items())
        return f"{self.name}({given})"

    @property
    def name(self) -> str:
        """The component's name."""
        known = inspect.isfunction(self.component) or inspect.isclass(self.component)
        return name_of(self.component) if known else called(self.component)


def as_part(value: Any) -> Any:
    """A function, a Keras layer class or a Keras layer as a part; tuples item by item; all else as it is."""
    if isinstance(value, tuple):
        return tuple(as_part(item) for item in value)
    if isinstance(value, Part) or not callable(value):
        return value
    return Part(value)


def _applied(component: Component, x: Any, metaparameters: Mapping[str, Any]) -> Any:
    if inspect.isclass(component):  # a Keras layer class
        return component(**metaparameters)(x)
    if hasattr(component, "get_config"):  # a Keras layer: a new one each time, or blocks would share weights
        config: dict[str, Any] = component.get_config()
        config.pop("name")
        return type(component).from_config({**config, **metaparameters})(x)
    return component(x, **metaparameters)


def _origin(function: Component) -> tuple[str, str]:
    return function.__module__, getattr(function, "__qualname__", "")
