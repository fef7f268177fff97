"""The report: a run folder in, one self-contained page out. No script, no link, no network."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from composable.core.workspace import write_atomically
from composable.report.board import board
from composable.report.canvas import Chart
from composable.report.card import card
from composable.report.columns import profile
from composable.report.facts import Detail, Facts, Trial, read_detail, read_facts
from composable.report.headline import headline, kind_of
from composable.report.mistakes import mistakes
from composable.report.network import Figure, network_figure
from composable.report.pictures import pictures
from composable.report.reading import shortened
from composable.report.score_charts import learning_chart, score_chart
from composable.report.stages import stage_rows
from composable.report.standing import unit
from composable.report.texts import texts
from composable.report.words import counted, metric_name

DRAWN = 18  # candidates in the chart of scores
CURVES = 6  # networks whose learning is drawn
NOTICES = 60  # of each level

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_report(run: Path) -> Path:
    """Write `report.html` into a run folder, from what is in it, whatever state it is in.

    Args:
        run: A run folder, as `docs/run-folder.md` describes it.

    Returns:
        The path of the page.
    """
    path = run / "report.html"
    write_atomically(path, render(read_facts(run)))
    return path


def render(facts: Facts) -> str:
    """The page; the same facts give the same bytes."""
    deployed = facts.deployed
    detail = read_detail(deployed) if deployed is not None else None
    drawn, drawn_detail, drawn_note = _drawn(facts, deployed)
    standings = board(facts)
    curves, curves_note = _learning(facts)
    warnings = [notice for notice in facts.run.notices if notice.level == "warning"]
    choices = [notice for notice in facts.run.notices if notice.level != "warning"]
    return _pages.get_template("template.html").render(
        run=facts.run,
        headline=headline(facts),
        warnings=warnings[:NOTICES],
        choices=choices[:NOTICES],
        notices_left_out=max(0, len(warnings) - NOTICES) + max(0, len(choices) - NOTICES),
        board=standings,
        metric=metric_name(standings.metric),
        scores=_scores(facts),
        mistakes=mistakes(facts),
        has_columns=facts.features.total() != 1,
        pictures=pictures(facts),
        texts=texts(facts),
        curves=curves,
        curves_note=curves_note,
        stages=stage_rows(facts),
        network=_network(facts, drawn_detail),
        drawn=drawn,
        drawn_note=drawn_note,
        deployed=deployed,
        profile=profile(facts),
        card=card(facts, detail),
    )


def _scores(facts: Facts) -> Chart | None:
    shown = [trial for _, trial in facts.shown(DRAWN)]
    measure = unit(facts.run, shown[0].metric) if shown else ""
    return score_chart(shown, candidates=len(facts.ranked), deployed=facts.run.deployed, unit=measure)


def _learning(facts: Facts) -> tuple[list[Chart], str]:
    networks = [trial for trial in facts.ranked if trial.role == "network"]
    charts = [
        learning_chart(trial, read_detail(trial), best=trial.number == facts.run.deployed)
        for trial in networks[:CURVES]
    ]
    note = f"The best {CURVES} of {len(networks):,} networks are drawn." if len(networks) > CURVES else ""
    return [chart for chart in charts if chart is not None], note


def _drawn(facts: Facts, deployed: Trial | None) -> tuple[Trial | None, Detail | None, str]:
    """The trial whose architecture is drawn: the deployed one, or an ensemble's strongest with a note."""
    if deployed is None:
        return None, None, ""
    detail = read_detail(deployed)
    if not detail.members:
        return deployed, detail, ""
    numbers = {trial.number: trial for trial in facts.trials}
    heaviest = numbers.get(max(detail.members, key=lambda member: member.weight).trial)
    averaged = ", ".join(f"{member.name} {member.weight:.0%}" for member in detail.members)
    note = f"The deployed model averages {averaged}. Drawn is the first by weight."
    return heaviest, read_detail(heaviest) if heaviest else None, note


def _network(facts: Facts, detail: Detail | None) -> Figure | None:
    if detail is None:
        return None
    kinds = facts.features
    parts = ", ".join(counted(many, kind) for kind, many in kinds.items())
    inputs = f"{counted(kinds.total(), 'column')}: {parts}" if kinds else "the columns of the data"
    outputs = [f"{shortened(head.name, 40)}: {kind_of(head)}" for head in facts.run.heads]
    return network_figure(detail.architecture, inputs=inputs, outputs=outputs)
