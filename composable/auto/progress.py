"""The progress of a fit on standard error: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from composable.auto.fit_state import Event, FitState, after, milestone, notice_line, status_line
from composable.core.errors import ComposableWarning
from composable.core.terminal import console, say

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
        self.state = FitState()

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        self.state = after(self.state, event)
        if line := milestone(event, self.state.metric):
            self._show(line)
        if event["event"] == "epoch" and time.monotonic() - self._printed >= self._pause:
            self._show(self.line)
            self._printed = time.monotonic()

    @property
    def line(self) -> str:
        """Where the fit stands now."""
        return status_line(self.state, spent=time.monotonic() - self._started, limit=self._limit)


@contextmanager
def show_progress(limit: float | None, started: float) -> Iterator[Progress]:
    """Show the progress of a fit until the block ends.

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


@contextmanager
def shown(
    progress: bool | Callable[[dict[str, Any]], None],  # noqa: FBT001 (what a user states by name)
    limit: float | None,
    verbose: int,
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Show the messages of a fit called from Python: its progress, its warnings, its choices.

    Args:
        progress: Whether all is shown as on the command line; or what is called with each event besides.
        limit: Seconds for everything, None where time isn't bounded.
        verbose: 0 leaves all but a function silent.
    """
    if progress is True and verbose:
        with show_progress(limit, time.monotonic()) as live:
            yield lambda event: (_warn if _is_warning(event) else live)(event)
        return

    def each(event: dict[str, Any]) -> None:
        if callable(progress):
            progress(event)
        if verbose and event["event"] == "notice":
            (_warn if _is_warning(event) else _log)(event)

    yield each


def _is_warning(event: Event) -> bool:
    return event["event"] == "notice" and event.get("level") == "warning"


def _warn(event: Event) -> None:
    warnings.warn(notice_line(event).partition(": ")[2], ComposableWarning, stacklevel=2)


def _log(event: Event) -> None:
    logging.getLogger("composable").info(notice_line(event))
