"""What happens while an architecture is built: which part was applied to what, and inside which other part.

The trail names the group and the block where shapes don't fit, and the figure of an architecture is drawn
from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from composable.core.errors import ConfigError

if TYPE_CHECKING:
    from composable.design.part import Part


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
