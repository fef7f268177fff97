"""The report: a run folder in, one self-contained page out. No script, no link, no network."""

from __future__ import annotations

from pathlib import Path

from composable.core.workspace import write_atomically
from composable.report.facts import Facts, read_facts
from composable.report.headline import headline
from composable.report.section import TEMPLATES
from composable.report.sections import (
    card,
    choices,
    data,
    errors,
    images,
    importance,
    leaderboard,
    learning,
    masks,
    network,
    series,
    texts,
)

SECTIONS = (
    choices.SECTION,
    leaderboard.SECTION,
    errors.SECTION,
    images.SECTION,
    masks.SECTION,
    series.SECTION,
    texts.SECTION,
    importance.SECTION,
    learning.SECTION,
    network.SECTION,
    data.SECTION,
    card.SECTION,
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
    sections = [(section, section.render(facts)) for section in SECTIONS]
    shown = [(section.name, section.link, body) for section, body in sections if body]
    return TEMPLATES.get_template("page.html").render(headline=headline(facts), sections=shown)
