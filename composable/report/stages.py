"""What the stages before the fits came to: for each network and stage its gain, and whether it was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.report.facts import Facts, read_detail
from composable.report.reading import number, shortened, text
from composable.report.words import duration, figure

MOST = 40  # rows


@dataclass(frozen=True)
class StageRow:
    """One stage of one network, over its folds."""

    network: str
    stage: str
    status: str
    gain: str
    spread: str
    seconds: str
    reason: str


def stage_rows(facts: Facts) -> list[StageRow]:
    """Those of the best networks first."""
    found = []
    for trial in facts.ranked:
        if trial.role != "network":
            continue
        stages: dict[str, list[Mapping[str, Any]]] = {}
        for entry in read_detail(trial).stages:
            stages.setdefault(text(entry.get("stage"), 40), []).append(entry)
        found += [_row(shortened(trial.name, 80), stage, entries) for stage, entries in stages.items()]
    return found[:MOST]


def _row(network: str, stage: str, entries: Sequence[Mapping[str, Any]]) -> StageRow:
    gains, spreads, seconds = (
        [value for entry in entries if (value := number(entry.get(name))) is not None]
        for name in ("gain", "spread", "seconds")
    )
    statuses = [text(entry.get("status"), 20) for entry in entries]
    counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    told = [f"{status} {count}x" if len(statuses) > 1 else status for status, count in counts.items()]
    reasons = dict.fromkeys(shortened(text(entry.get("reason")), 160) for entry in entries)
    return StageRow(
        network=network,
        stage=stage,
        status=", ".join(told),
        gain=figure(float(np.mean(gains)), 3) if gains else "",
        spread=f"± {figure(float(np.mean(spreads)), 2)}" if spreads else "",
        seconds=duration(sum(seconds)) if seconds else "",
        reason=next((reason for reason in reasons if reason), ""),
    )
