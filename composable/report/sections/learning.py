"""How the networks learned: loss by epoch, and what the stages before the fits came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from composable.report.facts import Detail, Facts, FoldHistory, Trial, read_detail
from composable.report.reading import number, shortened, text
from composable.report.section import BASELINE, INK, MARK, MODEL, Chart, Section, draw
from composable.report.words import duration, figure

CURVES = 6  # networks whose learning is drawn
STAGES = 40  # rows
_POINTS = 200  # of one learning curve


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


@dataclass(frozen=True)
class Learning:
    """Charts of the best networks, a note of those left out, and the stages."""

    curves: tuple[Chart, ...]
    note: str
    stages: list[StageRow]


def learning(facts: Facts) -> Learning:
    """How the best networks learned."""
    networks = [trial for trial in facts.ranked if trial.role == "network"]
    charts = [
        learning_chart(trial, read_detail(trial), best=trial.number == facts.run.deployed)
        for trial in networks[:CURVES]
    ]
    note = f"The best {CURVES} of {len(networks):,} networks are drawn." if len(networks) > CURVES else ""
    return Learning(tuple(chart for chart in charts if chart is not None), note, stage_rows(facts))


def learning_chart(trial: Trial, detail: Detail, *, best: bool) -> Chart | None:
    """Training and validation loss per epoch and fold; None where no epoch was recorded."""
    histories = [history for history in detail.histories if history.epochs]
    if not histories:
        return None

    def paint(figure: Figure) -> None:
        loss, held_out = figure.subplots(1, 2)
        color = MODEL if best else INK
        for history in histories:
            _curve(loss, history, history.losses, color)
            _curve(held_out, history, history.held_out, color)
        for axes, what in ((loss, "training loss"), (held_out, "validation loss")):
            axes.set_xlabel("epoch")
            axes.set_title(what, loc="left")
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))

    title = f"{shortened(trial.name, 40)} (trial {trial.number})"
    return draw(paint, title=title, span="half", height=1.9)


def _curve(axes: Axes, history: FoldHistory, values: Sequence[float | None], color: str) -> None:
    known = [(epoch, value) for epoch, value in zip(history.epochs, values, strict=True) if value is not None]
    if not known:
        return
    step = max(1, len(known) // _POINTS)
    epochs, heights = zip(*(known[::step] if step == 1 else [*known[::step], known[-1]]), strict=True)
    alone = "o" if len(epochs) == 1 else ""
    axes.plot(epochs, heights, color=color, linewidth=1.1, alpha=0.65, marker=alone, markersize=3, gid=MARK)
    kept = [pair for pair in known if pair[0] == history.best_epoch]
    if kept:
        axes.plot(*kept[0], marker="o", markersize=4.5, color=BASELINE, linestyle="", zorder=4)


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
    return found[:STAGES]


def _row(network: str, stage: str, entries: Sequence[Mapping[str, Any]]) -> StageRow:
    gains, spreads, seconds = (
        [value for entry in entries if (value := number(entry.get(name))) is not None]
        for name in ("gain", "spread", "seconds")
    )
    statuses = [text(entry.get("status"), 20) for entry in entries]
    counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    outcomes = [f"{status} {count}x" if len(statuses) > 1 else status for status, count in counts.items()]
    reasons = dict.fromkeys(shortened(text(entry.get("reason")), 160) for entry in entries)
    return StageRow(
        network=network,
        stage=stage,
        status=", ".join(outcomes),
        gain=figure(float(np.mean(gains)), 3) if gains else "",
        spread=f"± {figure(float(np.mean(spreads)), 2)}" if spreads else "",
        seconds=duration(sum(seconds)) if seconds else "",
        reason=next((reason for reason in reasons if reason), ""),
    )


SECTION = Section("learning", "Learning", learning)
