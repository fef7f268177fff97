"""Which metaparameters a component takes, and whether a value fits: checked before anything is built."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, wraps
from typing import Annotated, Any, TypeVar, cast, get_type_hints

from pydantic import ConfigDict, Field, PydanticUserError, TypeAdapter, ValidationError

from composable.core.errors import ConfigError
from composable.design.choice import Between, Choice

Count = Annotated[int, Field(ge=1)]
Counts = Annotated[tuple[Count, ...], Field(min_length=1)]
"""One for each group."""
Rate = Annotated[float, Field(ge=0, lt=1)]
"""The share that is dropped."""
Maker = TypeVar("Maker", bound=Callable[..., Any])
_LAYER_NAMES = ("name", "dtype", "trainable")  # what every Keras layer takes through its **kwargs


def check(component: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Make sure that `component` takes these values.

    Raises:
        ConfigError: Naming the metaparameter, what was received and what the component takes.
    """
    known = names(component)
    for name, value in values.items():
        if name not in known:
            raise ConfigError(
                f"`{called(component)}` has no metaparameter `{name[:100]}`.",
                received=f"{name}={value!r}"[:200],
                remedy=f"it takes: {', '.join(known) or 'none'}{nearest(name, known)}",
            )
        _check_value(component, name, value)


def checked(maker: Maker) -> Maker:
    """Decorate a function that takes metaparameters by name alone: it refuses them as `check` does."""

    @wraps(maker)
    def checking(**values: Any) -> Any:
        check(maker, values)
        return maker(**values)

    return cast("Maker", checking)


def missing(component: Callable[..., Any], known: Iterable[str]) -> list[str]:
    """The metaparameters without a default that aren't among `known`."""
    return [
        name
        for name, parameter in _parameters(component).items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        and name not in known
    ]


def names(component: Callable[..., Any]) -> list[str]:
    """The metaparameters of a component, or the arguments of a Keras layer, in their order."""
    parameters = _parameters(component)
    found = [name for name, p in parameters.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return found + [name for name in _LAYER_NAMES if inspect.isclass(component) and name not in found]


def paired(**metaparameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Metaparameters that hold one value per group, group by group.

    Raises:
        ConfigError: If one of them has more values than another.
    """
    if len({len(values) for values in metaparameters.values()}) > 1:
        raise ConfigError(
            f"{' and '.join(metaparameters)} hold one value per group each.",
            received=", ".join(f"{name}={values!r}" for name, values in metaparameters.items())[:200],
            remedy="give as many of one as of the other",
        )
    return list(zip(*metaparameters.values(), strict=True))


def called(component: Callable[..., Any]) -> str:
    """What a component is called in messages."""
    return getattr(component, "__name__", None) or type(component).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """'; did you mean `x`?', or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""


@lru_cache(maxsize=4096)
def _parameters(component: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        parameters = dict(inspect.signature(component).parameters)
    except (ValueError, TypeError):  # some of Python's own, written in C
        raise ConfigError(
            "A component says what it takes.",
            received=f"{called(component)}, which doesn't",
            remedy="wrap it in a function `(x, *, metaparameters) -> x`",
        ) from None
    first = next(iter(parameters.values()), None)
    if not inspect.isclass(component) and first is not None and first.kind is not first.KEYWORD_ONLY:
        parameters.pop(first.name)  # x, which a family's function doesn't have
    return parameters


def _check_value(component: Callable[..., Any], name: str, value: Any) -> None:
    match value:
        case Choice(options):
            for option in options:
                _check_value(component, name, option)
            return
        case Between(low, high):
            _check_value(component, name, low)
            _check_value(component, name, high)
            return
    adapter = _adapters(component).get(name)
    if adapter is None:
        return
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError as wrong:
        raise ConfigError(
            f"`{called(component)}` can't take this {name}: {_message(wrong)}.",
            received=f"{name}={value!r}"[:200],
            remedy=f"it takes {name}: {_shown(component, name)}",
        ) from None


def _message(wrong: ValidationError) -> str:
    messages = dict.fromkeys(error["msg"] for error in wrong.errors(include_url=False))
    return " or ".join(messages).replace("Input should", "it should").rstrip(".")


def _shown(component: Callable[..., Any], name: str) -> str:
    """The annotation as the component's author wrote it."""
    annotation = _parameters(component)[name].annotation
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


@lru_cache(maxsize=4096)
def _adapters(component: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    """One per annotated metaparameter; Keras's own layers check for themselves."""
    if inspect.isclass(component):
        return {}
    annotated = component if inspect.isroutine(component) else type(component).__call__
    try:
        hints = get_type_hints(annotated, include_extras=True)
    except (NameError, TypeError, AttributeError):  # a user's own function, annotated with what isn't there
        return {}
    adapters = {}
    for name in names(component):
        if name in hints:
            try:
                adapters[name] = TypeAdapter(hints[name], config=_CONFIG)
            except PydanticUserError:  # a type that has a configuration of its own
                continue
    return adapters


_CONFIG = ConfigDict(arbitrary_types_allowed=True)
