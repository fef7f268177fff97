"""The leaderboard: every candidate up to a limit, what it scored and what it costs, also as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from composable.report.facts import Facts, Trial
from composable.report.reading import shortened
from composable.report.section import (
    BASELINE,
    FAINT,
    INK,
    MARK,
    MODEL,
    OTHER,
    REFERENCE,
    Chart,
    Section,
    draw,
    single,
)
from composable.report.standing import unit
from composable.report.words import NONE, counted, decimals, duration, figure, fixed, metric_name, size

SHOWN = 50
DRAWN = 18  # in the chart
FAILED = 10
_PLACES = 5  # decimals at most: a score next to 0 has an exponent anyway
REMARKS = {"network": "", "baseline": "baseline, never deployed", "reference": "reference, never deployed"}


@dataclass(frozen=True)
class Row:
    """One line of the leaderboard; `color` names its style, `expected` is "" of all but the deployed one."""

    rank: int
    name: str
    trial: int
    remark: str
    color: str
    expected: str
    validation: str
    spread: str
    test: str
    parameters: str
    bytes: str
    latency: str
    seconds: str


@dataclass(frozen=True)
class Leaderboard:
    """The leaderboard with what it leaves out, in words.

    `expected` and `tested` say whether there are such scores.
    """

    metric: str
    better: str
    expected: bool
    tested: bool
    chart: Chart | None
    rows: tuple[Row, ...]
    failed: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def leaderboard(facts: Facts) -> Leaderboard:
    """The best candidates, and those a reader looks for: the deployed one, the baseline, the reference."""
    ranked = facts.ranked
    places = min(_PLACES, decimals(ranked[0].score or 0.0)) if ranked else 0
    rows = [_row(rank, trial, facts, places) for rank, trial in facts.shown(SHOWN)]
    others = [trial for trial in facts.trials if not trial.is_ranked]
    failed = [trial for trial in others if trial.status == "failed"]
    skipped = [trial for trial in others if trial.status == "skipped"]
    running = sum(trial.status == "running" for trial in others)
    unscored = len(others) - len(failed) - len(skipped) - running
    notes = []
    if len(ranked) > len(rows):
        notes.append(
            f"{len(rows)} of {counted(len(ranked), 'candidate')} are shown; the others scored worse."
        )
    if len(failed) > FAILED:
        notes.append(f"{counted(len(failed), 'candidate')} failed; the first {FAILED} are listed.")
    notes += [f"{shortened(t.name, 60)} was skipped: {shortened(t.reason, 300)}." for t in skipped[:FAILED]]
    if running:
        notes.append(f"{counted(running, 'candidate')} had not finished.")
    if unscored:
        notes.append(f"{counted(unscored, 'candidate')} finished without a score.")
    first = ranked[0] if ranked else None
    return Leaderboard(
        metric=metric_name(first.metric if first else facts.run.metric),
        better="higher" if first is not None and first.higher_is_better else "lower",
        expected=facts.run.expected is not None,
        tested=any(trial.test_score is not None for trial in ranked),
        chart=_chart(facts),
        rows=tuple(rows),
        failed=tuple(
            (shortened(t.name, 60), shortened(t.reason, 300) or "no reason given") for t in failed[:FAILED]
        ),
        notes=tuple(notes),
    )


def _row(rank: int, trial: Trial, facts: Facts, places: int) -> Row:
    is_deployed, expected = trial.number == facts.run.deployed, facts.run.expected
    ends = expected and (fixed(expected.low, places), fixed(expected.high, places))
    return Row(
        rank=rank,
        name=shortened(trial.name, 60),
        trial=trial.number,
        remark="deployed" if is_deployed else REMARKS.get(trial.role, ""),
        color="model" if is_deployed else trial.role if trial.role in ("baseline", "reference") else "other",
        expected=f"{fixed(expected.value, places)} ({ends[0]} to {ends[1]})"
        if is_deployed and expected and ends
        else "",
        validation=fixed(trial.score, places),
        spread=f"± {fixed(trial.spread, places)}" if trial.spread else "",
        test=fixed(trial.test_score, places),
        parameters=f"{trial.parameters:,}" if trial.parameters else NONE,
        bytes=size(trial.bytes),
        latency=NONE if trial.latency_ms is None else f"{figure(trial.latency_ms, 2)} ms",
        seconds=NONE if trial.role == "ensemble" else duration(trial.seconds),  # its members took the time
    )


def _chart(facts: Facts) -> Chart | None:
    shown = [trial for _, trial in facts.shown(DRAWN)]
    measure = unit(facts.run, shown[0].metric) if shown else ""
    return _score_chart(shown, candidates=len(facts.ranked), deployed=facts.run.deployed, unit=measure)


def _score_chart(
    trials: Sequence[Trial], *, candidates: int, deployed: int | None, unit: str
) -> Chart | None:
    """Every candidate's validation score with its spread, and its test score; None where nothing has a score.

    Args:
        trials: Those to show, best first, each with a score.
        candidates: How many there are in all.
        deployed: The number of the deployed one.
        unit: What the score is measured in, as " (unit of price)", or "".
    """
    if not trials:
        return None
    low, high = _window(trials)
    beyond = sum(not low <= trial.score <= high for trial in trials if trial.score is not None)

    def paint(figure: Figure) -> None:
        axes = single(figure, across=f"{metric_name(trials[0].metric)}{unit}", up="", grid="x")
        for index, trial in enumerate(trials):
            _candidate(axes, index, trial, _color(trial, deployed), (low, high))
        constant = next((trial.score for trial in trials if trial.role == "reference"), None)
        if constant is not None and low <= constant <= high:
            axes.axvline(constant, color=REFERENCE, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        margin = (high - low) * 0.04
        axes.set_xlim(low - margin, high + margin)
        axes.set_ylim(len(trials) - 0.4, -0.6)
        axes.set_yticks(range(len(trials)), [shortened(trial.name, 34) for trial in trials])
        for label, trial in zip(axes.get_yticklabels(), trials, strict=True):
            color = _color(trial, deployed)
            label.set_color(INK if color == OTHER else color)
        figure.legend(
            handles=_legend(trials), loc="outside upper left", ncols=5, handletextpad=0.4, columnspacing=1.6
        )

    notes = ["Bars show how much the score varies between folds."]
    if candidates > len(trials):
        notes.append(f"{len(trials)} of {candidates:,} are drawn.")
    if beyond:
        notes.append(f"At the edge: {counted(beyond, 'candidate')} much worse than the constant predictor.")
    height = 0.95 + 0.27 * len(trials)
    return draw(paint, title="Scores of the candidates", span="wide", height=height, note=" ".join(notes))


def _candidate(axes: Axes, index: int, trial: Trial, color: str, window: tuple[float, float]) -> None:
    low, high = window
    score = trial.score if trial.score is not None else low
    inside = min(max(score, low), high)
    shape = "o" if inside == score else ">" if score > high else "<"
    if trial.spread and inside == score:
        ends = np.clip([score - trial.spread, score + trial.spread], low, high)
        axes.plot(ends, [index, index], color=color, linewidth=4, alpha=0.25, solid_capstyle="butt")
    if trial.test_score is not None and low <= trial.test_score <= high:
        hollow = {"markerfacecolor": "white", "markeredgecolor": color, "markeredgewidth": 1.2}
        axes.plot(trial.test_score, index, marker="D", markersize=4.5, linestyle="", zorder=3, **hollow)
    axes.plot(inside, index, marker=shape, markersize=7, color=color, linestyle="", zorder=4, gid=MARK)


def _window(trials: Sequence[Trial]) -> tuple[float, float]:
    """The scores worth showing: from the best to somewhat worse than the constant predictor.

    One diverged candidate must not squeeze the others together.
    """
    scores = [score for trial in trials for score in (trial.score, trial.test_score) if score is not None]
    anchored = [trial for trial in trials if trial.role in ("baseline", "reference")]
    anchors = [trial.score for trial in anchored if trial.score is not None] or scores
    if trials[0].higher_is_better:
        best, worst = max(scores), min(anchors)
        bound = worst - 0.5 * abs(best - worst)
        kept = [score for score in scores if score >= bound]
    else:
        best, worst = min(scores), max(anchors)
        bound = worst + 0.5 * abs(worst - best)
        kept = [score for score in scores if score <= bound]
    low, high = min(kept), max(kept)
    return (low, high) if high > low else (low - abs(low) * 0.05 - 0.01, high + abs(high) * 0.05 + 0.01)


def _color(trial: Trial, deployed: int | None) -> str:
    if trial.number == deployed:
        return MODEL
    return {"baseline": BASELINE, "reference": REFERENCE}.get(trial.role, OTHER)


def _legend(trials: Sequence[Trial]) -> list[Line2D]:
    def entry(label: str, color: str, marker: str = "o") -> Line2D:
        face = "white" if marker == "D" else color
        return Line2D(
            [], [], linestyle="", marker=marker, color=color, markerfacecolor=face, markersize=5, label=label
        )

    roles = {trial.role for trial in trials}
    entries = [entry("deployed", MODEL), entry("other networks", OTHER)]
    if "baseline" in roles:
        entries.append(entry("baseline, never deployed", BASELINE))
    if "reference" in roles:
        entries.append(entry("constant predictor", REFERENCE))
    if any(trial.test_score is not None for trial in trials):
        entries.append(entry("on the test rows", FAINT, "D"))
    return entries


SECTION = Section("leaderboard", "Leaderboard", leaderboard)
