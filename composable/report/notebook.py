"""A run and its report, as a notebook shows them: HTML that depends on nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from composable.report.facts import read_facts
from composable.report.headline import headline
from composable.report.section import TEMPLATES
from composable.report.sections import leaderboard

_HEIGHT = 640  # pixels of the frame in which the whole report scrolls


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
