"""How much time remains: one deadline over everything, from reading to report."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Deadline:
    """A wall-clock limit that started when the user pressed Enter.

    Attributes:
        seconds: The limit; infinity where only the number of trials is bounded.
        started: The clock's reading at the start.
    """

    seconds: float = math.inf
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    started: float = -1.0

    def __post_init__(self) -> None:
        if self.started < 0:
            object.__setattr__(self, "started", self.clock())

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.started

    @property
    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.seconds - self.spent)

    def keeping(self, seconds: float) -> Deadline:
        """The same deadline, earlier by `seconds`, which are kept for what comes afterwards."""
        return Deadline(max(0.0, self.seconds - seconds), self.clock, self.started)
