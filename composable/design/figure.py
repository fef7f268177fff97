"""An architecture as a figure, in values: what stands where, what shape it gives, how many parameters it has.

The command line prints it, and here it is drawn as one SVG file: inputs on top, each part below, the tasks at
the bottom. The file needs nothing but itself, and follows the reader's light or dark colors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from composable.design.graph import layers_between
from composable.design.part import Part, Step, shapes

if TYPE_CHECKING:
    import keras

    from composable.design.architecture import Architecture

DEEPEST = 2  # parts in blocks in groups
MOST = 4  # rows in a part before those of one component become one
_ITEMS = 8  # of a tuple


@dataclass(frozen=True)
class Row:
    """A part where it stands, or several equal ones, one after another.

    Attributes:
        path: `learner.1`, or `block[0]` inside it; the first one's.
        component: Its name (`resnet.bottleneck`).
        settings: Its metaparameters, in words.
        shape: Of what it gives, without the rows; of several, what the last one gives, or nothing where they
            don't follow one another.
        parameters: Of all of them together; a layer that several parts share counts for the first.
        repeats: How many stand there.
        inner: The parts it is made of.
        task: The name of the task that it is, where several have one.
        reads: The tap that it reads, if it is a task.
    """

    path: str
    component: str
    settings: tuple[str, ...]
    shape: str
    parameters: int
    repeats: int = 1
    inner: tuple[Row, ...] = ()
    task: str = ""
    reads: str = ""


@dataclass(frozen=True)
class Figure:
    """The rows from the inputs to the tasks.

    Attributes:
        title: What the architecture is called.
        inputs: The shape of one row.
        rows: In the order in which data flows through them.
    """

    title: str
    inputs: str
    rows: tuple[Row, ...]


def figure(architecture: Architecture, trail: Step, *, title: str) -> Figure:
    """What an architecture looks like.

    Args:
        architecture: What was built.
        trail: Of building it, or its outline.
        title: What to call it.
    """
    counted: set[int] = set()
    rows = [_row(step, step.path, counted, DEEPEST) for step in trail.steps]
    for number, task in enumerate(architecture.tasks):
        at = next(i for i, row in enumerate(rows) if row.path == f"tasks.{number}")
        rows[at] = replace(rows[at], task=task.name, reads=task.reads)
    return Figure(title, shapes(trail.input), tuple(rows))


def _row(step: Step, path: str, counted: set[int], depth: int) -> Row:
    part = step.part
    layers = [layer for layer in layers_between(step.input, step.output) if id(layer) not in counted]
    within = set(counted)  # those inside count there too, each once
    inner = [_row(each, _last(each.path), within, depth - 1) for each in step.steps] if depth else []
    counted.update(map(id, layers))
    return Row(
        path,
        part.name if part else "",
        _settings(part) if part else (),
        shapes(step.output),
        sum(map(_parameters, layers)),
        inner=tuple(_folded(inner, shapes(step.output))),
    )


def _last(path: str) -> str:
    """`block[0]` of `learner.2.block[0]`."""
    return path.rpartition(".")[2]


def _parameters(layer: keras.Layer) -> int:
    return sum(math.prod(weight.shape) for weight in layer.weights)


def _settings(part: Part) -> tuple[str, ...]:
    return tuple(f"{name} {_shown(value)}" for name, value in part.metaparameters.items())


def _shown(value: Any) -> str:
    if isinstance(value, Part):
        return value.name.rpartition(".")[2]
    if isinstance(value, tuple):
        items = [_shown(item) for item in value]
        return f"({', '.join(items if len(items) <= _ITEMS else [*items[:_ITEMS], '...'])})"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _folded(rows: Sequence[Row], shape: str) -> list[Row]:
    """Equal neighbors as one row; where many remain, those of one component, whatever their sizes.

    Args:
        rows: Inside a part.
        shape: The shape that the part gives.
    """
    folded = _joined(rows, lambda one: (one.component, one.settings, one.shape, one.parameters, one.inner))
    if len(folded) <= MOST:
        return folded
    last = rows[-1].shape == shape  # else they may stand side by side, and no shape is that of all
    joined = _joined(rows, lambda one: (one.component, one.settings))
    return [row if row.repeats == 1 or last else replace(row, shape="") for row in joined]


def _joined(rows: Sequence[Row], sameness: Callable[[Row], Any]) -> list[Row]:
    joined: list[Row] = []
    for _, alike in groupby(rows, sameness):
        first, *others = alike
        same = all(row.inner == first.inner for row in others)
        joined.append(
            replace(
                first,
                shape=[first, *others][-1].shape,
                parameters=sum(row.parameters for row in (first, *others)),
                repeats=1 + len(others),
                inner=_together(first.inner, 1 + len(others)) if same else (),
            )
        )
    return joined


def _together(rows: tuple[Row, ...], parts: int) -> tuple[Row, ...]:
    """What is inside each of several equal parts, with the parameters of all of them."""
    return tuple(
        replace(row, parameters=row.parameters * parts, inner=_together(row.inner, parts)) for row in rows
    )


STYLE = """
svg { --paper: #ffffff; --card: #f5f7f9; --ink: #1d2733; --faint: #5b6673; --line: #c3ccd6; --mark: #0b5c94; }
@media (prefers-color-scheme: dark) {
  svg {
    --paper: #14191f; --card: #1e252d; --ink: #e6ebf0; --faint: #9aa7b4; --line: #3c4855; --mark: #6cb4e6;
  }
}
text {
  font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif;
  fill: var(--ink);
}
.paper { fill: var(--paper); }
.card { fill: var(--card); stroke: var(--line); }
.rule { stroke: var(--line); }
.arrow { fill: none; stroke: var(--faint); stroke-width: 1.4; }
.title { font-size: 20px; font-weight: 650; }
.name { font-weight: 600; }
.path { font-weight: 600; fill: var(--mark); }
.faint, .shape { fill: var(--faint); font-size: 12px; }
.number, .shape { font-variant-numeric: tabular-nums; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
"""
_LEFT, _WIDTH, _MARGIN, _LINE, _GAP = 132.0, 560.0, 24.0, 20.0, 34.0
_NARROWEST, _BETWEEN = 232.0, 12.0  # of tasks side by side
_ROOMY = 300.0  # wide enough for shapes
_CHARACTER, _BOLD = 6.7, 7.6  # pixels of an average one


def figure_svg(figure: Figure) -> str:
    """The figure as the text of an SVG file."""
    trunk = [row for row in figure.rows if not row.reads]
    tasks = [row for row in figure.rows if row.reads]
    total = sum(row.parameters for row in figure.rows)
    gaps = _BETWEEN * (len(tasks) - 1)
    width = max((_WIDTH - gaps) / max(1, len(tasks)), _NARROWEST)
    right = _LEFT + max(_WIDTH, width * len(tasks) + gaps)
    y, shape = 58.0, figure.inputs
    drawn = [
        _text(_MARGIN, 42, figure.title, "title"),
        _text(right, 42, f"{total:,} parameters", "faint end"),
    ]
    for row in trunk:
        drawn.append(_arrow(_LEFT + _WIDTH / 2, y, _short(shape, _WIDTH / 2)))
        drawn.append(_text(_MARGIN, y + _GAP + 21, _short(row.path, _LEFT - _MARGIN), "path"))
        card, y = _card(row, _LEFT, y + _GAP, _WIDTH)
        drawn.append(card)
        shape = row.shape
    cards, y = _abreast(tasks, y, width, shape)
    drawn += cards
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{0:.0f}" height="{1:.0f}" '
        'viewBox="0 0 {0:.0f} {1:.0f}"><title>{2}</title><style>'
    ).format(right + _MARGIN, y + _MARGIN, f"{figure.title}: the network from its inputs to its tasks")
    paper = Markup('</style><rect class="paper" width="100%" height="100%"/>')
    return str(head + Markup(STYLE) + paper + Markup("").join(drawn) + Markup("</svg>\n"))


def _abreast(tasks: Sequence[Row], y: float, width: float, shape: str) -> tuple[list[Markup], float]:
    """Tasks side by side; those that read from further up say so."""
    drawn = [_text(_MARGIN, y + _GAP + 21, "tasks" if len(tasks) > 1 else "task", "path")]
    bottom = y
    for number, row in enumerate(tasks):
        x = _LEFT + number * (width + _BETWEEN)
        middle = x + width / 2
        if row.reads == "encoding":
            drawn.append(_arrow(middle, y, _short(shape, width / 2 - 12)))
        card, end = _card(row, x, y + _GAP, width)
        drawn += [card, _arrow(middle, end, _short(row.shape, width / 2 - 12))]
        bottom = max(bottom, end + _GAP)
    return drawn, bottom


def _card(row: Row, x: float, y: float, width: float) -> tuple[Markup, float]:
    """A box with the part's name, its settings, and a line for each part inside; and where it ends."""
    room = width - 24
    parts = [
        _text(x + 12, y + 21, _short(row.task or row.component, room - _room(row), _BOLD), "name"),
        _text(x + width - 12, y + 21, _count(row), "number end"),
    ]
    end = y + 32
    for line in _wrapped(_subtitle(row), room):
        parts.append(_text(x + 12, end + 8, line, "faint"))
        end += 17
    if row.inner:
        parts.append(Markup('<path class="rule" d="M{:.1f} {:.1f}h{:.1f}"/>').format(x + 12, end + 1, room))
        end += 8
    for depth, line in _lines(row.inner):
        parts += _line(line, x + 12 + 14 * depth, end + 13, room - 14 * depth)
        end += _LINE
    end += 6
    box = Markup('<rect class="card" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="7"/>')
    return box.format(x, y, width, end - y) + Markup("").join(parts), end


def _subtitle(row: Row) -> tuple[str, ...]:
    """What stands below the name: the settings, before them what a task reads and is."""
    reads = (f"reads {row.reads}",) if row.reads not in ("", "encoding") else ()
    return (*reads, *((row.component,) if row.task else ()), *row.settings)


def _line(row: Row, x: float, y: float, width: float) -> list[Markup]:
    """Component, shape, parameters; where there is no room, the shape is left out."""
    name = row.component.rpartition(".")[2]
    name = f"{name} \N{MULTIPLICATION SIGN} {row.repeats}" if row.repeats > 1 else name
    parts = [_text(x + width, y, _count(row), "number end")]
    if width <= _ROOMY:
        return [*parts, _text(x, y, _short(name, width - _room(row)), "")]
    parts.append(_text(x + width * 0.52, y, _short(row.shape, width * 0.28), "shape"))
    return [*parts, _text(x, y, _short(name, width * 0.5), "")]


def _room(row: Row) -> float:
    """What the number of parameters takes of a line."""
    return _BOLD * (len(_count(row)) + 1)


def _lines(rows: Iterable[Row], depth: int = 0) -> list[tuple[int, Row]]:
    return [found for row in rows for found in ((depth, row), *_lines(row.inner, depth + 1))]


def _count(row: Row) -> str:
    return f"{row.parameters:,}" if row.parameters else ""


def _wrapped(settings: Sequence[str], width: float) -> list[str]:
    """Settings one after another, broken between them, at most four lines."""
    lines: list[str] = []
    for setting in settings:
        joined = f"{lines[-1]} \N{MIDDLE DOT} {setting}" if lines else setting
        if lines and len(joined) * _CHARACTER <= width:
            lines[-1] = joined
        else:
            lines.append(_short(setting, width))
    return lines if len(lines) <= 4 else [*lines[:3], "..."]


def _short(words: str, width: float, character: float = _CHARACTER) -> str:
    room = max(4, int(width / character))
    return words if len(words) <= room else f"{words[: room - 1]}\N{HORIZONTAL ELLIPSIS}"


def _arrow(x: float, y: float, words: str) -> Markup:
    """From what ends at `y` to what begins a gap below it, with what flows there in words."""
    path = Markup('<path class="arrow" d="M{0:.1f} {1:.1f}V{2:.1f}m-4 -5l4 5l4 -5"/>')
    return path.format(x, y + 3, y + _GAP - 3) + _text(x + 10, y + _GAP / 2 + 4, words, "shape")


def _text(x: float, y: float, words: str, classes: str) -> Markup:
    if not words:
        return Markup("")
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(classes, x, y, words)
