"""A part is a component with its metaparameters, some of which may be left open for a search.

It is a `functools.partial` that prints, compares and becomes JSON.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Component = Callable[..., Any]  # (x, *, metaparameters) -> x
Function = TypeVar("Function", bound=Component)

COMPONENTS: dict[str, Component] = {}


def component(function: Function) -> Function:
    """Register a plain function under its family's and its own name (`tabm.members`), which JSON uses.

    Raises:
        ValueError: If another function has that name.
    """
    if COMPONENTS.setdefault(name_of(function), function) is not function:
        raise ValueError(f"A component named {name_of(function)!r} is already registered.")
    return function


def name_of(function: Component) -> str:
    """The name that JSON uses: the module's last word and the function's name."""
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


@dataclass(frozen=True)
class Choice:
    """A metaparameter left open: a search closes it with one of the options."""

    options: tuple[Any, ...]


@dataclass(frozen=True, init=False)
class Part:
    """A component with some of its metaparameters filled in.

    Raises:
        TypeError: If the component has no metaparameter of that name.
    """

    component: Component
    metaparameters: Mapping[str, Any]

    def __init__(self, component: Component, /, **metaparameters: Any) -> None:
        known = list(inspect.signature(component).parameters)[1:]
        for name in metaparameters:
            if name not in known:
                raise TypeError(
                    f"`{component.__name__}` has no metaparameter `{name}`. It takes: {', '.join(known)}."
                )
        wrapped = {k: Part(v) if inspect.isfunction(v) else v for k, v in metaparameters.items()}
        object.__setattr__(self, "component", component)
        object.__setattr__(self, "metaparameters", wrapped)

    def __call__(self, x: Any, **metaparameters: Any) -> Any:
        """Apply the component to `x`; metaparameters given here are added to the part's own."""
        return self.component(x, **{**self.metaparameters, **metaparameters})


def to_config(value: Any) -> Any:
    """Turn parts and choices, however nested, into plain JSON values."""
    match value:
        case Part(component=function, metaparameters=given):
            return {"component": name_of(function)} | {k: to_config(v) for k, v in given.items()}
        case Choice(options):
            return {"choice": to_config(options)}
        case tuple():
            return [to_config(item) for item in value]
    return value


def from_config(config: Any) -> Any:
    """Rebuild what `to_config` wrote.

    Raises:
        ValueError: If a component isn't registered; import the module that defines it first.
    """
    match config:
        case {"component": name, **given}:
            if name not in COMPONENTS:
                raise ValueError(
                    f"There is no component {name!r}. Import the module that defines it first. "
                    f"Known: {', '.join(sorted(COMPONENTS))}."
                )
            return Part(COMPONENTS[name], **{k: from_config(v) for k, v in given.items()})
        case {"choice": options}:
            return Choice(from_config(options))
        case list():
            return tuple(map(from_config, config))
    return config


def fill(value: Any, choose: Callable[[str, tuple[Any, ...]], Any], path: str = "") -> Any:
    """Close every choice with `choose(path, options)`; branches not chosen are never visited."""
    match value:
        case Choice(options):
            return fill(choose(path, options), choose, path)
        case Part(component=function, metaparameters=given):
            return Part(function, **{k: fill(v, choose, f"{path}.{k}") for k, v in given.items()})
        case tuple():
            return tuple(fill(item, choose, f"{path}.{i}") for i, item in enumerate(value))
    return value
