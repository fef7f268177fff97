"""The time kept for the end: measured as the run goes on, since machines differ and may be busy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MARGIN = 1.25
_SCORINGS = 200  # of mixtures with each candidate, to choose an ensemble twice
_BUNDLE, _NETWORK = 0.6, 0.12  # seconds that a bundle, and each network in it, take on a usual machine


@dataclass(eq=False)
class TimeReserve:
    """What bundling, the diagnosis and the report took so far.

    Attributes:
        machine_slowness: How many times as long as usual the first bundle took, 1 at least.
        slowest_bundle: Seconds of the slowest one, and its number of networks; a guess before the first.
        report: Seconds to write the report; measured once, early.
        others: Seconds for the expected score, diagnosis, importance and leaving Python.
        explaining: Seconds to look for what decides the answers.
        scoring: Seconds in which predictions are scored once.
    """

    machine_slowness: float = 1.0
    slowest_bundle: tuple[float, int] = (_BUNDLE, 0)
    report: float = 2.0
    others: float = 3.0
    explaining: float = 0.0
    scoring: float = 0.0
    _measured: bool = False

    def seconds(self, networks: int, candidates: int = 0) -> float:
        """To be kept, if the model to be deployed at the end has so many networks.

        Args:
            networks: Of the model.
            candidates: Between which an ensemble is chosen: to be deployed, and for the expected score.
        """
        seconds, of_networks = self.slowest_bundle
        bundle = seconds + self.machine_slowness * _NETWORK * max(0, networks - of_networks)
        choosing = _SCORINGS * candidates * self.scoring
        return self.explaining + _MARGIN * (bundle + self.report + self.others + choosing)

    @contextmanager
    def bundling(self, networks: int) -> Iterator[None]:
        """Measure how long it takes to bundle so many networks."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        if not self._measured:
            self._measured, self.slowest_bundle = True, (took, networks)
            self.machine_slowness = max(1.0, took / (_BUNDLE + _NETWORK * networks))
        self.slowest_bundle = max(self.slowest_bundle, (took, networks))

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Measure how long a report takes, and what slower the machine is than expected."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self.others *= max(1.0, took / self.report)
        self.report = took
