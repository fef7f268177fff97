"""What is left open, for a search to close: these two values are the whole language of search spaces."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.core.errors import ConfigError


def plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's, lists as tuples: what is frozen, compares and becomes JSON."""
    match value:
        case np.generic() | np.ndarray():
            return plain(value.tolist())
        case tuple() | list():
            return tuple(plain(item) for item in value)
    return value


def exact(value: Any) -> Any:
    """What is compared where types count: 1, 1.0 and True are equal to Python, but not to a network."""
    match value:
        case tuple():
            return tuple(exact(item) for item in value)
        case Mapping():
            return {name: exact(item) for name, item in value.items()}
    return type(value), value


@dataclass(frozen=True, eq=False)
class Choice:
    """A metaparameter left open: a search closes it with one of the options.

    Attributes:
        options: Values, parts or whole groups; they may leave things open themselves.
        name: Choices of one name are closed together, once: give two groups the same width.

    Raises:
        ConfigError: If there is no option.
    """

    options: tuple[Any, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.options, tuple | list) or not self.options:
            raise ConfigError(
                "A Choice takes a tuple of at least one option.",
                received=f"{self.options!r}"[:200],
                remedy="Choice((16, 32)), or Between(16, 32) for everything between",
            )
        _check_name(self.name)
        object.__setattr__(self, "options", plain(self.options))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and self._exact() == other._exact()

    def __hash__(self) -> int:
        return hash((len(self.options), self.name))  # an option needn't have a hash

    def _exact(self) -> Any:
        return exact((self.options, self.name))

    def draw(self, random: np.random.Generator) -> Any:
        """One of the options, each as likely."""
        return self.options[int(random.integers(len(self.options)))]

    def admits(self, value: Any) -> bool:
        """Whether `value` is one of the options."""
        return any(exact(value) == exact(option) for option in self.options)

    def others(self, value: Any) -> tuple[Any, ...]:
        """The options but `value`."""
        return tuple(option for option in self.options if exact(option) != exact(value))


@dataclass(frozen=True, eq=False)
class Between:
    """A number left open, from `low` to `high`, both included; whole if both are.

    Attributes:
        low: The smallest value.
        high: The largest value.
        log: Whether 1 to 10 counts as much as 10 to 100: for rates and sizes.
        name: As in `Choice`.

    Raises:
        ConfigError: If the bounds are no numbers, out of order, or not above zero where `log` is true.
    """

    low: float
    high: float
    log: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        for end in ("low", "high"):
            object.__setattr__(self, end, plain(getattr(self, end)))
        if not (_is_number(self.low) and _is_number(self.high) and self.low < self.high):
            raise ConfigError("Between takes two numbers, the lower one first.", received=f"{self!r}"[:200])
        if self.log and self.low <= 0:
            raise ConfigError("Between on a log scale takes numbers above zero.", received=f"{self!r}"[:200])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Between) and self._exact() == other._exact()

    def __hash__(self) -> int:
        return hash(self._exact())

    def _exact(self) -> Any:
        return exact((self.low, self.high, bool(self.log), self.name))

    @property
    def is_integer(self) -> bool:
        """Whether only whole numbers lie between."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, random: np.random.Generator) -> float:
        """One value, uniform on the scale."""
        # A whole number owns the half units around it, so that both ends are as likely as the rest.
        low, high = (self.low - 0.5, self.high + 0.5) if self.is_integer else (self.low, self.high)
        if self.log:
            value = math.exp(random.uniform(math.log(low), math.log(high)))
        else:
            value = random.uniform(low, high)
        value = round(value) if self.is_integer else value
        return type(value)(min(max(value, self.low), self.high))

    def admits(self, value: Any) -> bool:
        """Whether `value` lies between."""
        kinds = int if self.is_integer else int | float
        return isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high


Open = Choice | Between
Choose = Callable[[str, Open], Any]  # the path of what is open, and what it may be
Decisions = Mapping[str, Any]  # path -> what was chosen


def path_of(path: str, value: Open) -> str:
    """Where a decision is kept: under the name where several share one, else under its path."""
    return value.name or path


def _check_name(name: Any) -> None:
    if name is not None and not (isinstance(name, str) and name):
        raise ConfigError(
            "What is open is named with a text, or not at all.", received=f"name={name!r}"[:200]
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
