"""The report: a run folder in, one self-contained page out. No script, no link, no network.

A notebook shows the page, or the head of it, in a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from composable.core.workspace import write_atomically
from composable.report.facts import Facts, read_facts
from composable.report.headline import headline
from composable.report.section import TEMPLATES
from composable.report.sections import (
    card,
    columns,
    errors,
    images,
    leaderboard,
    learning,
    network,
    series,
    texts,
    why,
)

SECTIONS = (
    card.CHOICES,
    leaderboard.SECTION,
    why.SECTION,
    errors.SECTION,
    images.IMAGES,
    images.MASKS,
    series.SECTION,
    texts.SECTION,
    columns.IMPORTANCE,
    learning.SECTION,
    network.SECTION,
    columns.DATA,
    card.CARD,
)
_HEIGHT = 640  # pixels of the frame in which the whole report scrolls


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


def run_html(run: Path) -> str:
    """The headline of a run and its leaderboard, in a frame of their own.

    Args:
        run: A run folder, whatever state it is in.
    """
    facts = read_facts(run)
    page = TEMPLATES.get_template("page.html").render(
        headline=headline(facts), sections=[("leaderboard", "", leaderboard.SECTION.render(facts))]
    )
    return _framed(page)


@dataclass(frozen=True)
class Report:
    """A report that was written; in a notebook it shows itself, in a frame that scrolls."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def __fspath__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        return _framed(self.path.read_text(encoding="utf-8"))


def _framed(page: str) -> str:
    """A page inside a frame: the styles of the page and of the notebook don't meet, and no script runs."""
    style = f"width: 100%; height: {_HEIGHT}px; border: 0"
    frame = Markup('<iframe srcdoc="{}" sandbox="" title="Composable" style="{}"></iframe>')
    return str(frame.format(page, style))
