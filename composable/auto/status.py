"""How far the fit of a run folder is, read from the folder alone, while it goes on or after it ended."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composable.auto.progress import FitState, after, status_line
from composable.core.terminal import duration
from composable.core.workspace import holder, read_json

_REMEDY = "name a folder that `composable fit` wrote"


_NEXT = {
    "complete": "A larger budget continues it.",
    "interrupted": "The same command continues it.",
    "failed": "`composable failures` lists the causes; the same command tries again.",
    "stopped": "Its process is gone; the same command continues it, and nothing that ended is lost.",
}


@dataclass(frozen=True)
class RunStatus:
    """How far a fit is.

    Attributes:
        run: The folder.
        status: running, complete, interrupted, failed; or stopped, where its process is gone without a word.
        process: That writes the run now, or "".
        stage: What it does, or what is to be done now that it has ended.
        best: The best model so far with its score, or "".
        seconds: Since its last session began, or that this took.
        left: Seconds that it will take from now on; None where that isn't known, or it has ended.
    """

    run: str
    status: str
    process: str
    stage: str
    best: str
    seconds: float
    left: float | None

    @property
    def text(self) -> str:
        """The same for a person."""
        if self.status == "running":
            return f"{self.run} is being written by {self.process}.\n{self.stage}"
        best = f" Best: {self.best}." if self.best else ""
        return f"{self.run} is {self.status} after {duration(self.seconds)}.{best} {self.stage}"


def run_status(run: Path) -> RunStatus:
    """How far the fit of a run is.

    Raises:
        ArtifactError: If the folder is no run.
    """
    facts, process, now = read_json(run / "run.json", remedy=_REMEDY), holder(run), time.time()
    state, began, last = FitState(), now, now
    for event in _events(run):
        last = event["time"]
        if event["event"] == "start":
            state, began = FitState(best=state.best, metric=state.metric), last
        state = after(state, event, last)
    status, limit = str(facts.get("status")), facts.get("options", {}).get("time_limit")
    if status != "running" or not process:
        status = "stopped" if status == "running" else status
        stage = _NEXT.get(status, "")
        return RunStatus(str(run), status, process, stage, state.best, round(last - began, 2), None)
    spent, end = now - began, state.until if limit is None else began + limit
    left = None if end is None else max(0.0, end - now)
    stage = status_line(state, spent=spent, limit=limit, now=now)
    return RunStatus(str(run), status, process, stage, state.best, round(spent, 2), left)


def _events(run: Path) -> list[dict[str, Any]]:
    """The events that can be read; the last line may be half written."""
    found = []
    path = run / "events.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and {"event", "time"} <= event.keys():
            found.append(event)
    return found
