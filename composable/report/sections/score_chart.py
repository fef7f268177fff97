"""The candidates' scores side by side, as a chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from composable.report.canvas import BASELINE, FAINT, INK, MARK, MODEL, OTHER, REFERENCE, Chart, draw, single
from composable.report.facts import Trial
from composable.report.reading import shortened
from composable.report.words import counted, metric_name


def score_chart(trials: Sequence[Trial], *, candidates: int, deployed: int | None, unit: str) -> Chart | None:
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
