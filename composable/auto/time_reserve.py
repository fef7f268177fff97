"""The time kept for the end: measured as the run goes on, since machines differ and may be busy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MARGIN = 1.25


@dataclass(eq=False)
class TimeReserve:
    """What bundling, the diagnosis and the report took so far.

    Attributes:
        per_network: Seconds to bundle one network; the slowest so far, a guess before the first.
        report: Seconds to write the report; measured once, early.
        others: Seconds for the expected score, diagnosis, importance and leaving Python.
        explaining: Seconds to look for what decides the answers.
    """

    per_network: float = 0.15
    report: float = 2.0
    others: float = 3.0
    explaining: float = 0.0
    _measured: bool = False

    def seconds(self, networks: int) -> float:
        """To be kept, if the model to be deployed at the end has so many networks."""
        return self.explaining + _MARGIN * (self.per_network * networks + self.report + self.others)

    @contextmanager
    def bundling(self, networks: int) -> Iterator[None]:
        """Measure how long it takes to bundle so many networks."""
        began = time.monotonic()
        yield
        took = (time.monotonic() - began) / networks
        self.per_network = max(self.per_network, took) if self._measured else took
        self._measured = True

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Measure how long a report takes, and what slower the machine is than expected."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self.others *= max(1.0, took / self.report)
        self.report = took
