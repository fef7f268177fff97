"""A section of the report: it says from the run's files whether it applies, and has a template of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from composable.report.canvas import Chart
from composable.report.facts import Facts

_FOLDER = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader([_FOLDER, _FOLDER / "sections"]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Attributes:
        name: Its anchor in the page, and the name of its template in `composable/report/sections`.
        link: What the navigation calls it.
        view: From the facts of a run to what the template shows as `view`; None where it doesn't apply.
    """

    name: str
    link: str
    view: Callable[[Facts], object | None]

    def render(self, facts: Facts) -> Markup:
        """The section as HTML, "" where it doesn't apply."""
        view = self.view(facts)
        if view is None:
            return Markup()
        return Markup(TEMPLATES.get_template(f"{self.name}.html").render(view=view))


@dataclass(frozen=True)
class Table:
    """A small table: the first `names` columns hold names, the others numbers."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int
    note: str = ""


@dataclass(frozen=True)
class Drawn:
    """The charts and tables of one head, None where there is nothing to draw."""

    charts: tuple[Chart | None, ...]
    tables: tuple[Table | None, ...] = ()
