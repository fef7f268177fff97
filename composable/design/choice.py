"""What is left open: a metaparameter that a search closes. These two values are the whole search space language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Choice:
    """A metaparameter left open: a search closes it with one of the options.

    Attributes:
        options: Values, parts or whole groups; they may leave things open themselves.
        name: Choices of one name are closed together, once: give two groups the same width.

    Raises:
        ValueError: If there is no option.
    """

    options: tuple[Any, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.options, tuple) or not self.options:
            raise ValueError(f"A Choice takes a tuple of at least one option. Received: options={self.options!r}")

    def draw(self, random: np.random.Generator) -> Any:
        """One of the options, each as likely."""
        return self.options[int(random.integers(len(self.options)))]

    def admits(self, value: Any) -> bool:
        """Whether `value` is one of the options."""
        return any(value == option and type(value) is type(option) for option in self.options)


@dataclass(frozen=True)
class Between:
    """A number left open, from `low` to `high`, both included; whole if both are.

    Attributes:
        low: The smallest value.
        high: The largest value.
        log: Whether 1 to 10 counts as much as 10 to 100: for rates and sizes.
        name: As in `Choice`.

    Raises:
        ValueError: If the bounds are no numbers, out of order, or not above zero where `log` is true.
    """

    low: float
    high: float
    log: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        numbers = all(isinstance(v, int | float) and math.isfinite(v) for v in (self.low, self.high))
        if not numbers or self.low >= self.high:
            raise ValueError(f"Between takes two numbers, the lower one first. Received: {self!r}")
        if self.log and self.low <= 0:
            raise ValueError(f"Between on a log scale takes numbers above zero. Received: {self!r}")

    @property
    def whole(self) -> bool:
        """Whether only whole numbers lie between."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, random: np.random.Generator) -> float:
        """One value, uniform on the scale."""
        # A whole number owns the half units around it, so that both ends are as likely as the rest.
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        if self.log:
            value = math.exp(random.uniform(math.log(max(low, self.low / 2)), math.log(high)))
        else:
            value = random.uniform(low, high)
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else value

    def admits(self, value: Any) -> bool:
        """Whether `value` lies between."""
        kinds = int if self.whole else int | float
        return isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high


Open = Choice | Between
Choose = Callable[[str, Open], Any]  # the path of what is open, and what it may be
Decisions = Mapping[str, Any]  # path -> what was chosen


def path_of(path: str, value: Open) -> str:
    """Where a decision is kept: under the name where several share one, else under its place."""
    return value.name or path
