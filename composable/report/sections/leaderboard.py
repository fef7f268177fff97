"""The leaderboard: every candidate up to a limit, what it scored and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from composable.report.canvas import Chart
from composable.report.facts import Facts, Trial
from composable.report.reading import shortened
from composable.report.section import Section
from composable.report.sections.score_chart import score_chart
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
    return score_chart(shown, candidates=len(facts.ranked), deployed=facts.run.deployed, unit=measure)


SECTION = Section("leaderboard", "Leaderboard", leaderboard)
