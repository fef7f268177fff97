"""Which trials of a run failed or were skipped, and why: those of the same cause together, most first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composable.search.leaderboard import TRIAL_FILE, read_trial
from composable.search.trial import Trial

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
_LOGS = ("traceback.txt", "worker.log")
_REMEDY = "remove its folder to leave it out, or fit again into another --out"
_TOLD = 3  # causes, where nothing succeeded
_NAMED = 3  # trials of each


@dataclass(frozen=True)
class NotDone:
    """A trial that didn't come to its end.

    Attributes:
        trial: Its number.
        name: Of what was tried.
        reason: As it was written.
        seconds: Spent on it.
        log: The file that holds the traceback, or what its process wrote; "" where there is none.
    """

    trial: int
    name: str
    reason: str
    seconds: float
    log: str = ""


@dataclass(frozen=True)
class Cause:
    """Trials that ended of one cause.

    Attributes:
        status: "failed" or "skipped".
        cause: The reason of all of them; where they differ in numbers alone, that of the first.
        count: How many they are.
        trials: In the order of their numbers.
    """

    status: str
    cause: str
    count: int
    trials: tuple[NotDone, ...]


def run_failures(run: Path) -> tuple[Cause, ...]:
    """The causes of which trials of a run folder failed or were skipped; failed ones first, then by count.

    Raises:
        ArtifactError: If the file of a trial is damaged; names it.
    """
    found = []
    for path in (run / "trials").glob(f"*/{TRIAL_FILE}"):
        facts = read_trial(path, remedy=_REMEDY)
        if facts.get("status") in ("failed", "skipped"):
            found.append((str(facts["status"]), _not_done(facts, path.parent)))
    return _grouped(sorted(found, key=lambda one: one[1].trial))


def _not_done(facts: dict[str, Any], folder: Path) -> NotDone:
    logs = (folder / name for name in _LOGS)
    log = next((str(path) for path in logs if path.exists() and path.stat().st_size), "")
    return NotDone(
        int(facts.get("number") or 0),
        str(facts.get("name")),
        str(facts.get("reason") or "no reason was written"),
        float(facts.get("seconds") or 0.0),
        log,
    )


def _grouped(found: Iterable[tuple[str, NotDone]]) -> tuple[Cause, ...]:
    groups: dict[tuple[str, str], list[NotDone]] = {}
    for status, one in found:
        groups.setdefault((status, _without_numbers(one.reason)), []).append(one)
    causes = [Cause(status, each[0].reason, len(each), tuple(each)) for (status, _), each in groups.items()]
    return tuple(sorted(causes, key=lambda one: (one.status != "failed", -one.count)))


def _without_numbers(reason: str) -> str:
    """The same text for reasons that differ in numbers alone: shapes, seconds, bytes."""
    return _NUMBER.sub("#", reason)


def alike_in_a_row(trials: Sequence[Trial]) -> int:
    """How many of the networks that were tried last failed of the same cause, one after another."""
    tried = [t for t in trials if t.role == "network" and t.status != "skipped"]
    count = 0
    for trial in reversed(tried):
        if trial.status != "failed" or _without_numbers(trial.reason) != _without_numbers(tried[-1].reason):
            break
        count += 1
    return count


def told(trials: Sequence[Trial]) -> str:
    """The most frequent causes of which trials failed, with counts and names, for an error."""
    failed = ((t.status, NotDone(t.number, t.name, t.reason, t.seconds)) for t in trials)
    causes = [one for one in _grouped(failed) if one.status == "failed"]
    lines = []
    for one in causes[:_TOLD]:
        names = ", ".join(each.name for each in one.trials[:_NAMED])
        more = f" and {one.count - _NAMED} more" if one.count > _NAMED else ""
        lines.append(f"{one.count} times ({names}{more}): {one.cause[:200]}")
    rest = f"; {len(causes) - _TOLD} other causes" if len(causes) > _TOLD else ""
    return "; ".join(lines) + rest
