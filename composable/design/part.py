"""A part is a component with its metaparameters, some of which may be left open for a search.

It is a `functools.partial` that prints, compares and becomes JSON. While an architecture is built, the trail
says which part was applied to what, and inside which other part: it names the group and the block where
shapes don't fit, and the figure of an architecture is drawn from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar
from weakref import WeakSet

from composable.core.errors import ConfigError
from composable.design.choice import Choice, exact, plain
from composable.design.metaparameters import called, check

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


@dataclass(eq=False)
class Step:
    """One application of a part.

    Attributes:
        path: Where: `learner.2`, `learner.2.block[0]`.
        part: What was applied; None for the whole architecture.
        input: What it was given: a tensor, or a tuple or dict of tensors.
        output: What it made of it.
        steps: The parts that were applied inside.
    """

    path: str
    part: Part | None = None
    input: Any = None
    output: Any = None
    steps: list[Step] = field(default_factory=list)


_within: ContextVar[Step | None] = ContextVar("within", default=None)
# What Keras and components raise on what they can't take; a tuple, for one, has no shape.
_WRONG_SHAPES = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, NotImplementedError)


@contextmanager
def recording() -> Iterator[Step]:
    """Everything that is applied inside becomes the steps of what this gives."""
    root = Step("")
    token = _within.set(root)
    try:
        yield root
    finally:
        _within.reset(token)


@contextmanager
def step(part: Part, x: Any, path: str | None = None) -> Iterator[Step]:
    """One step of the trail, where one is recorded.

    Args:
        part: What is applied.
        x: What it is applied to.
        path: Its path; None to find out from the part around it.

    Raises:
        ConfigError: If the part fails on `x`, naming its path.
    """
    outer = _within.get()
    if outer is None:
        yield Step("", part, x)
        return
    taken = Step(path or _path(outer, part), part, x)
    outer.steps.append(taken)
    token = _within.set(taken)
    try:
        yield taken
        _check_tensors(taken.output)
    except _WRONG_SHAPES as error:
        if isinstance(error, ConfigError):
            raise
        raise _does_not_fit(taken, error) from error
    finally:
        _within.reset(token)


def shapes(x: Any) -> str:
    """The shapes in `x`, without the rows: `56x56x64`; several with their names or in brackets."""
    if isinstance(x, dict):
        return ", ".join(f"{name} {shapes(value)}" for name, value in x.items())
    if isinstance(x, tuple | list):
        return "(" + ", ".join(shapes(value) for value in x) + ")"
    return "x".join("?" if size is None else str(size) for size in x.shape[1:]) or "1"


def _path(outer: Step, part: Part) -> str:
    metaparameters = outer.part.metaparameters if outer.part else {}
    name = next(
        (name for name, value in metaparameters.items() if value is part), part.name.rpartition(".")[2]
    )
    prefix = f"{outer.path}.{name}" if outer.path else name
    number = sum(taken.path.startswith(f"{prefix}[") for taken in outer.steps)
    return f"{prefix}[{number}]"


def _check_tensors(x: Any) -> None:
    elements = x.values() if isinstance(x, dict) else x if isinstance(x, tuple | list) else ()
    for each in elements:
        _check_tensors(each)
    if not (elements or hasattr(x, "shape")):
        raise TypeError(f"It gives back {x!r:.100} instead of a tensor, or a tuple or dict of tensors.")


def _does_not_fit(taken: Step, error: Exception) -> ConfigError:
    message = " ".join(str(error).split())
    return ConfigError(
        f"`{taken.path}` doesn't fit what it is given: {message[:400]}",
        received=f"{taken.part!r:.300} on {shapes(taken.input)}",
        remedy="change its metaparameters, the parts before it, or the size of the input",
    )
