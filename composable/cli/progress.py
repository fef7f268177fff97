"""The progress of a fit on standard error: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from composable.cli.moment import Event, Moment, after, milestone, status_line
from composable.cli.streams import console, say

PAUSE = 10.0  # seconds between two lines in a log


class Progress:
    """Receives the events of a fit and shows them.

    Args:
        show: Prints a line that stays.
        limit: Seconds for everything, None where time isn't bounded.
        started: The reading of `time.monotonic()` from which the limit counts.
        pause: Seconds between two lines on where the fit stands; infinity where a live line shows it.
    """

    def __init__(
        self, show: Callable[[str], None], limit: float | None, *, started: float, pause: float
    ) -> None:
        self._show, self._limit, self._pause = show, limit, pause
        self._started = self._printed = started
        self.moment = Moment()

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        self.moment = after(self.moment, event)
        if line := milestone(event, self.moment.metric):
            self._show(line)
        if event["event"] == "epoch" and time.monotonic() - self._printed >= self._pause:
            self._show(self.line)
            self._printed = time.monotonic()

    @property
    def line(self) -> str:
        """Where the fit stands now."""
        return status_line(self.moment, spent=time.monotonic() - self._started, limit=self._limit)


@contextmanager
def show_progress(limit: float | None, started: float) -> Iterator[Progress]:
    """Show what a fit tells of itself until the block ends.

    Args:
        limit: Seconds for everything, None where time isn't bounded.
        started: The reading of `time.monotonic()` from which the limit counts.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Progress(say, limit, started=started, pause=PAUSE)
        return
    from rich.live import Live
    from rich.text import Text

    terminal = console(stderr=True)
    progress = Progress(terminal.print, limit, started=started, pause=math.inf)

    def draw() -> Text:
        return Text(progress.line, style="cyan", no_wrap=True, overflow="crop")

    with Live(console=terminal, get_renderable=draw, refresh_per_second=4, transient=True):
        yield progress
