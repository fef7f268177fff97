"""What a fit is doing, by its events (docs/run-folder.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from composable.core.terminal import duration, number, plain

Event = Mapping[str, Any]


@dataclass(frozen=True)
class FitState:
    """A fit between two events.

    Attributes:
        stage: What is going on, in words.
        epoch: Where training stands within the stage, or "".
        metric: The name of the score that selects models, once it is known.
        best: The best model saved so far and its score, or "".
        report: Where the report is, once it is written.
        status: How the fit ended: complete, already complete, or interrupted; "" while it goes on.
    """

    stage: str = "starting"
    epoch: str = ""
    metric: str = "score"
    best: str = ""
    report: str = ""
    status: str = ""


STAGES = {
    "read": "looking at the columns",
    "problem": "preparing",
    "trial_end": "choosing",
    "report": "finishing",
    "end": "done",
}


def after(state: FitState, event: Event) -> FitState:
    """The state that follows an event."""
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
        case "saved":
            return replace(state, best=f"{plain(event['name'])}, {state.metric} {number(event['score'])}")
        case "report":
            return replace(state, report=str(event["path"]))
        case "end":
            return replace(state, status=str(event["status"]))
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


def status_line(state: FitState, *, spent: float, limit: float | None) -> str:
    """Stage, epoch, best model and time on one line.

    Args:
        state: Where the fit stands.
        spent: Seconds since the start.
        limit: Seconds for everything, None where time isn't bounded.
    """
    best = f"best: {state.best}" if state.best else ""
    time = f"{duration(spent)} spent" if limit is None else f"{duration(max(0.0, limit - spent))} left"
    return " | ".join(filter(None, (state.stage, state.epoch, best, time)))
