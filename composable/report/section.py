"""What the report is made of: sections, each with a template of its own, and their tables and charts.

A chart is a matplotlib figure as inline SVG: one style, no global state, the same bytes for the same numbers.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import AutoLocator, MaxNLocator, ScalarFormatter

from composable.report.facts import Facts
from composable.report.reading import shortened

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


# After Okabe & Ito (2008), "Color universal design": told apart by every kind of color vision.
MODEL, BASELINE, REFERENCE, OTHER = "#0b5c94", "#c8680a", "#6b7480", "#8fb4cf"
INK, FAINT, GRID = "#1d2733", "#5b6673", "#e3e7ec"
PALE, DEEP = "#f3f7fa", "#0b5c94"
MARK = "mark"  # the gid of what carries data; becomes the class of the group in the page

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "composable",
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": "#b4bcc6",
    "axes.labelcolor": FAINT,
    "axes.labelsize": 8.5,
    "axes.titlesize": 8.5,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-4, 6),
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": "#b4bcc6",
    "ytick.color": "#b4bcc6",
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


Span = Literal["third", "half", "most", "wide"]
_INCHES: dict[Span, float] = {"third": 2.85, "half": 4.35, "most": 5.85, "wide": 8.9}


@dataclass(frozen=True)
class Chart:
    """A chart with the words around it.

    Attributes:
        title: What it shows.
        svg: The drawing, safe to place in a page.
        note: How to read it, and what was left out.
        span: How much of the page's width it takes.
    """

    title: str
    svg: Markup
    note: str
    span: Span


def draw(paint: Callable[[Figure], None], *, title: str, span: Span, height: float, note: str = "") -> Chart:
    """Paint a figure of `height` inches and turn it into a chart."""
    with rc_context(STYLE), warnings.catch_warnings():
        # The page keeps text as text and leaves its shaping to the reader's fonts: a glyph that
        # is missing from matplotlib's own font matters only for the margins.
        warnings.simplefilter("ignore", UserWarning)
        figure = Figure(figsize=(_INCHES[span], height), layout="constrained")
        paint(figure)
        _tidy_ticks(figure)
        content = io.StringIO()
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(content, format="svg", metadata=metadata)
    return Chart(title, _inline(content.getvalue(), title, note), note, span)


def single(figure: Figure, *, across: str, up: str, grid: Literal["both", "x", "y"] = "both") -> Axes:
    """The only axes of a figure, with the labels of the horizontal and the vertical one."""
    axes = figure.subplots()
    axes.set_xlabel(shortened(across, int(figure.get_figwidth() * 14)))
    axes.set_ylabel(shortened(up, 44))
    if grid != "both":
        axes.grid(visible=False, axis="y" if grid == "x" else "x")
    return axes


def _tidy_ticks(figure: Figure) -> None:
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(_Grouped())
        if figure.get_figwidth() < _INCHES["most"] and isinstance(
            axes.xaxis.get_major_locator(), AutoLocator
        ):
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))


class _Grouped(ScalarFormatter):
    """12,000 for 12000, where an axis goes as far: four digits may be years."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of one tick."""
        if self.axis is not None and max(abs(end) for end in self.axis.get_view_interval()) < 1e4:
            return super().__call__(x, pos)
        whole, point, fraction = super().__call__(x, pos).partition(".")
        return re.sub(r"\d(?=(\d{3})+$)", r"\g<0>,", whole) + point + fraction


def _inline(svg: str, title: str, note: str) -> Markup:
    """Only the drawing: no prolog, no metadata, no rule for the whole page, no identifier used twice.

    Every pattern starts at a tag, since matplotlib escapes `<` in the texts it draws: a name is never taken
    for markup.
    """
    svg = re.sub(r"<metadata>.*?</metadata>|<style .*?</style>", "", svg, flags=re.DOTALL)
    start = svg.index("<svg")
    opening = svg[start : svg.index(">", start) + 1]
    inside = svg[start + len(opening) : svg.rindex("</svg>")]
    inside = re.sub(r"""(<text style="[^"]*?)'DejaVu Sans'[^;"]*""", r"\1sans-serif", inside)
    inside = re.sub(r'(<text [^>]*?) transform="rotate\(-0 [^"]*"', r"\1", inside)
    inside = re.sub(
        r'(<path [^>]*?)\bd="([^"]*)"', lambda found: f'{found[1]}d="{_rounded(found[2])}"', inside
    )
    prefix = "c" + hashlib.sha256(f"{title}{inside}".encode()).hexdigest()[:8]
    referred = set(re.findall(r'<[^>]*?(?:url\(|href=")#([^")]+)', inside))

    def identifier(found: re.Match[str]) -> str:
        if found[2] in referred:
            return f'{found[1]} id="{prefix}{found[2]}"'
        return found[1] + (f' class="{MARK}"' if found[2].startswith(MARK) else "")

    inside = re.sub(r'(<\w+) id="([^"]*)"', identifier, inside)
    inside = re.sub(r'(<[^>]*? clip-path="url\()#', rf"\1#{prefix}", inside)
    inside = re.sub(r'(<use )xlink:href="#', rf'\1href="#{prefix}', inside)
    inside = re.sub(r"\n\s*", "\n", inside)
    view = re.search(r'viewBox="[\d. ]*"', opening)
    words = f"{title}. {note}".strip()
    head = f'<svg class="chart" role="img" aria-label="{escape(words)}" {view[0] if view else ""}>'
    return Markup(f"{head}<title>{escape(title)}</title>{inside}</svg>")


def _rounded(path: str) -> str:
    """A path with two decimals, a hundredth of a point, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"(\.\d\d)\d+", r"\1", path)).strip()
