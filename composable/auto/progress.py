"""A fit, by its events: its state, and its progress as a live line on a terminal or plain lines elsewhere."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from composable.core.errors import ComposableWarning
from composable.core.terminal import console, duration, number, plain, say

Event = Mapping[str, Any]


@dataclass(frozen=True)
class FitState:
    """A fit between two events.

    Attributes:
        stage: What is going on, in words.
        epoch: Where training stands within the stage, or "".
        metric: The name of the score that selects models, once it is known.
        best: The best model saved so far and its score, or "".
        to_come: Which candidate of how many at most is tried, where there is no time limit; else "".
        until: When the search will be over, by the clock of the events; None where that isn't known.
        about: Whether that is "about" right or "at least" so.
        report: Where the report is, once it is written.
        status: How the fit ended: complete, already complete, or interrupted; "" while it goes on.
    """

    stage: str = "starting"
    epoch: str = ""
    metric: str = "score"
    best: str = ""
    to_come: str = ""
    until: float | None = None
    about: str = "about"
    report: str = ""
    status: str = ""


STAGES = {
    "read": "looking at the columns",
    "problem": "preparing",
    "trial_end": "choosing",
    "report": "finishing",
    "end": "done",
}


def after(state: FitState, event: Event, now: float) -> FitState:
    """The state that follows an event.

    Args:
        state: Before it.
        event: As `events.jsonl` holds it.
        now: When it happened, in seconds of any clock.
    """
    kind = event["event"]
    state = replace(state, stage=STAGES.get(kind, state.stage), epoch="")
    match kind:
        case "start":
            return replace(state, stage=f"reading {plain(event['origin'])}")
        case "problem":
            return replace(state, metric=str(event["metric"]))
        case "trial_start":
            return replace(state, stage=_trial(event))
        case "epoch":
            return replace(state, epoch=f"epoch {event['epoch']}, loss {number(event['held_out'])}")
        case "outlook":
            count, seconds = event["begun"] + 1, event["seconds"]
            to_come = f"candidate {count} of at most {event['begun'] + event['left']}"
            until, about = (
                None if seconds is None else now + seconds,
                "at least" if event["at_least"] else "about",
            )
            return replace(state, to_come=to_come, until=until, about=about)
        case "saved":
            return replace(state, best=f"{plain(event['name'])}, {state.metric} {number(event['score'])}")
        case "report" | "end":
            report, status = event.get("path", state.report), event.get("status", state.status)
            return replace(state, report=str(report), status=str(status))
    return state


def _trial(event: Event) -> str:
    networks = event.get("folds") or 1
    part = f", {networks} networks side by side" if networks > 1 else ""
    return f"trial {event['trial']}: {plain(event['name'])}{part}"


def milestone(event: Event, metric: str) -> str:
    """The line that stays on the screen for an event, or "" where it deserves none."""
    match event["event"]:
        case "read":
            return f"Read {event['rows']:,} rows, {event['columns']:,} columns."
        case "notice":
            return notice_line(event)
        case "problem":
            return problem_line(event["heads"], str(event["metric"]))
        case "stage" if event["fold"] == 0:
            return stage_line(event)
        case "trial_end" if event["status"] == "done":
            score = f"{metric} {number(event['score'])}"
            return f"Trial {event['trial']}, {plain(event['name'])}: {score} in {duration(event['seconds'])}."
        case "trial_end":
            reason = f": {plain(event['reason'])}" if event.get("reason") else ""
            return f"Trial {event['trial']}, {plain(event['name'])} {event['status']}{reason}."
    return ""


def stage_line(event: Event) -> str:
    """What a stage came to, for the first of the networks that go through it."""
    which = f", first of {event['folds']} networks" if event["folds"] > 1 else ""
    gain = "" if event["gain"] is None else f", gain {number(event['gain'])}"
    spread = "" if event["spread"] is None else f" ± {number(event['spread'])}"
    reason = f": {plain(event['reason'])}" if event["reason"] else ""
    return f"Stage {plain(event['stage'])}{which}: {event['status']}{gain}{spread}{reason}."


def problem_line(heads: Sequence[Mapping[str, Any]], metric: str) -> str:
    """The problem in one line: the heads, at most three of them by name, and the metric."""
    questions = [f"{plain(head['name'])} ({head['kind']})" for head in heads[:3]]
    more = [f"{len(heads) - 3} more"] if len(heads) > 3 else []
    return f"Problem: {', '.join(questions + more)}; models are selected by {metric}."


def notice_line(notice: Event) -> str:
    """A notice on one line, with its remedy."""
    remedy = f" ({plain(notice['remedy'])})" if notice.get("remedy") else ""
    return f"{str(notice.get('level', 'note')).capitalize()}: {plain(notice['text'])}{remedy}"


def status_line(state: FitState, *, spent: float, limit: float | None, now: float) -> str:
    """Stage, epoch, best model and time on one line.

    Args:
        state: Where the fit stands.
        spent: Seconds since the start.
        limit: Seconds for everything, None where time isn't bounded.
        now: By the clock that `after` was told.
    """
    best = f"best: {state.best}" if state.best else ""
    words = [state.stage, state.epoch, best]
    if limit is not None:
        return " | ".join(filter(None, (*words, f"{duration(max(0.0, limit - spent))} left")))
    left = 0.0 if state.until is None else state.until - now
    about = (
        f", {state.about} {duration(left)} left" if left > 0 else ""
    )  # what takes longer than foreseen says nothing
    return " | ".join(filter(None, (*words, state.to_come, f"{duration(spent)} spent{about}")))


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
        self.state = after(self.state, event, time.monotonic())
        if line := milestone(event, self.state.metric):
            self._show(line)
        if event["event"] == "epoch" and time.monotonic() - self._printed >= self._pause:
            self._show(self.line)
            self._printed = time.monotonic()

    @property
    def line(self) -> str:
        """Where the fit stands now."""
        now = time.monotonic()
        return status_line(self.state, spent=now - self._started, limit=self._limit, now=now)


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
