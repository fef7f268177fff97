"""The network as a figure: inputs on top, then each stage of the architecture, the tasks at the bottom."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from composable.report.facts import Facts, Trial, read_detail
from composable.report.reading import sequence, shortened, text
from composable.report.section import Section
from composable.report.words import NONE, answer, counted

STAGES = {
    "prestem": ("pre-stem", "clean the raw inputs"),
    "stem": ("stem", "features to a vector"),
    "learner": ("learner", "blocks, in this order"),
    "tasks": ("tasks", "one per target"),
    "task": ("task", "the prediction"),
}
_BOXES = 60  # in one figure
_DEPTH = 4  # of parts inside parts
_ABREAST = 4  # tasks side by side
_GUTTER, _WIDTH, _GAP = 170.0, 500.0, 26.0
_TITLE, _LINE, _PADDING = 22.0, 15.0, 7.0


@dataclass(frozen=True)
class Box:
    """A component with its metaparameters as lines of text, and the parts it is made of."""

    title: str
    lines: tuple[str, ...] = ()
    inner: tuple[Box, ...] = ()
    repeats: int = 1

    def size(self) -> int:
        """The number of boxes in it."""
        return 1 + sum(box.size() for box in self.inner)


@dataclass(frozen=True)
class Network:
    """The trial whose architecture is drawn, the figure, and what a reader should know of them."""

    trial: Trial | None
    figure: Figure | None
    note: str


@dataclass(frozen=True)
class Figure:
    """The drawing and what it leaves out."""

    svg: Markup
    note: str


def network(facts: Facts) -> Network:
    """The architecture of the deployed model, or of the ensemble member with the largest weight."""
    trial, note = facts.deployed, ""
    if trial is None:
        return Network(None, None, note)
    detail = read_detail(trial)
    if detail.members:
        numbers = {trial.number: trial for trial in facts.trials}
        trial = numbers.get(max(detail.members, key=lambda member: member.weight).trial)
        averaged = ", ".join(f"{member.name} {member.weight:.0%}" for member in detail.members)
        note = f"The deployed model is a weighted average of {averaged}. The first by weight is drawn."
        detail = read_detail(trial) if trial is not None else None
    if detail is None:
        return Network(trial, None, note)
    kinds = facts.features
    parts = ", ".join(counted(many, kind) for kind, many in kinds.items())
    inputs = f"{counted(kinds.total(), 'column')}: {parts}" if kinds else "the columns of the data"
    outputs = [f"{shortened(head.name, 40)}: {answer(head)}" for head in facts.run.heads]
    return Network(trial, network_figure(detail.architecture, inputs=inputs, outputs=outputs), note)


def network_figure(architecture: Mapping[str, Any], *, inputs: str, outputs: Sequence[str]) -> Figure | None:
    """Draw what `trial.json` says of an architecture.

    Args:
        architecture: Stage to part, or to a list of parts: `{"component": name, ...metaparameters}`.
        inputs: What enters, in words.
        outputs: What each task predicts, in words.

    Returns:
        None where nothing in the description can be drawn.
    """
    known = [stage for stage in STAGES if stage in architecture]
    others = [stage for stage in architecture if stage not in STAGES and stage not in ("format", "component")]
    stages = [(stage, _folded(list(_boxes(architecture[stage], 0)))) for stage in known + others]
    if "component" in architecture:
        stages = [("model", list(_boxes(architecture, 0)))]
    stages = [(stage, boxes) for stage, boxes in stages if boxes]
    if not stages:
        return None
    kept, left_out = _within_budget(stages)
    top = _pill(inputs, 0.0, _GUTTER, _WIDTH)
    parts, y = [top], 30.0
    for stage, boxes in kept:
        drawn, y = _stage(stage, boxes, y, outputs)
        parts.append(drawn)
    words = "The network from its inputs down to its answers"
    head = Markup(
        '<svg class="chart network" role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}"><title>{}</title>'
    ).format(words, _GUTTER + _WIDTH + 8, y + 8, words)
    note = f"{left_out} further parts aren't drawn." if left_out else ""
    return Figure(head + Markup().join(parts) + Markup("</svg>"), note)


def _boxes(value: Any, depth: int, name: str = "") -> Iterator[Box]:
    """The boxes that a value of the description stands for; none for plain numbers and texts."""
    if isinstance(value, list):
        for item in value:
            yield from _boxes(item, depth, name)
        return
    if not isinstance(value, dict) or depth > _DEPTH:
        return
    value = _part_of(value)
    plain = [f"{text(key, 40)} {_shown(item)}" for key, item in value.items() if _is_plain(key, item)]
    inner = [
        box
        for key, item in value.items()
        if not _is_plain(key, item)
        for box in _boxes(item, depth + 1, text(key, 40))
    ]
    title = text(value.get("component"), 60) or name
    if title or inner:
        yield Box(title or "parts", tuple(plain), tuple(_folded(inner)))


def _is_plain(key: str, value: Any) -> bool:
    if key in ("component", "format"):
        return False
    nested = [value, *sequence(value)]
    return not any(isinstance(item, dict) for item in nested)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        items = [text(item, 20) for item in value]
        return (
            f"[{', '.join(items)}]" if len(items) <= 6 else f"[{', '.join(items[:5])}, … {len(items)} values]"
        )
    return text(value, 60) or NONE


def _part_of(value: dict[str, Any]) -> dict[str, Any]:
    """A task's part with what it reads, where that isn't the usual; anything else as it is."""
    if "component" in value or not isinstance(value.get("part"), dict):
        return value
    reads = value.get("reads", "encoding")
    return value["part"] | ({} if reads == "encoding" else {"reads": reads})


def _folded(boxes: Sequence[Box]) -> list[Box]:
    """Equal neighbors become one box that says how often it is repeated."""
    folded: list[Box] = []
    for box in boxes:
        if folded and replace(folded[-1], repeats=1) == box:
            folded[-1] = replace(folded[-1], repeats=folded[-1].repeats + 1)
        else:
            folded.append(box)
    return folded


def _within_budget(stages: Sequence[tuple[str, list[Box]]]) -> tuple[list[tuple[str, list[Box]]], int]:
    kept: list[tuple[str, list[Box]]] = []
    room, left_out = _BOXES, 0
    for stage, boxes in stages:
        fitting = []
        for box in boxes:
            room -= box.size()
            if room >= 0:
                fitting.append(box)
            elif not fitting and room + box.size() > 0:
                fitting.append(replace(box, inner=()))
                left_out += box.size() - 1
            else:
                left_out += box.size()
        if fitting:
            kept.append((stage, fitting))
    return kept, left_out


def _stage(stage: str, boxes: Sequence[Box], y: float, outputs: Sequence[str]) -> tuple[Markup, float]:
    """The boxes of a stage, below each other; those of the tasks side by side, each with what it predicts."""
    label, about = STAGES.get(stage, (stage.replace("_", " "), ""))
    parts = [
        Markup(
            '<text class="stage" x="0" y="{:.1f}">{}</text><text class="about" x="0" y="{:.1f}">{}</text>'
        ).format(y + _GAP + 15, shortened(label, 24), y + _GAP + 31, about)
    ]
    if stage in ("tasks", "task"):
        return _tasks(boxes, y, outputs, parts)
    for box in boxes:
        parts.append(_arrow(_GUTTER + _WIDTH / 2, y, y + _GAP))
        drawn, y = _draw(box, _GUTTER, y + _GAP, _WIDTH)
        parts.append(drawn)
    return Markup().join(parts), y


def _tasks(
    boxes: Sequence[Box], y: float, outputs: Sequence[str], parts: list[Markup]
) -> tuple[Markup, float]:
    single = [replace(box, repeats=1) for box in boxes for _ in range(box.repeats)]
    shown = single[:_ABREAST]
    width = (_WIDTH - 10 * (len(shown) - 1)) / len(shown)
    bottom = y
    for index, box in enumerate(shown):
        x = _GUTTER + index * (width + 10)
        parts.append(_arrow(x + width / 2, y, y + _GAP))
        drawn, end = _draw(box, x, y + _GAP, width)
        parts.append(drawn)
        bottom = max(bottom, end)
    for index in range(len(shown)):
        x = _GUTTER + index * (width + 10)
        output = outputs[index] if index < len(outputs) else ""
        if output:
            parts += [_arrow(x + width / 2, bottom, bottom + _GAP), _pill(output, bottom + _GAP, x, width)]
    bottom += _GAP + 30
    if len(single) > len(shown):
        parts.append(
            Markup('<text class="about" x="{:.1f}" y="{:.1f}">and {} more tasks like these</text>').format(
                _GUTTER, bottom + 14, len(single) - len(shown)
            )
        )
        bottom += 20
    return Markup().join(parts), bottom


def _draw(box: Box, x: float, y: float, width: float) -> tuple[Markup, float]:
    """A box with its lines and its inner boxes; returns where it ends."""
    room = max(8, int((width - 20) / 6.4))
    badge = f"\N{MULTIPLICATION SIGN} {box.repeats}" if box.repeats > 1 else ""
    title = shortened(box.title, max(6, int((width - 30) / 7.8) - len(badge)))
    lines = _wrapped(box.lines, room)
    parts = [
        Markup('<text class="part" x="{:.1f}" y="{:.1f}">{}</text>').format(x + 12, y + _PADDING + 15, title),
    ]
    if badge:
        parts.append(
            Markup('<text class="badge" x="{:.1f}" y="{:.1f}">{}</text>').format(
                x + width - 12, y + _PADDING + 15, badge
            )
        )
    end = y + _PADDING + _TITLE
    for line in lines:
        parts.append(
            Markup('<text class="line" x="{:.1f}" y="{:.1f}">{}</text>').format(x + 12, end + 10, line)
        )
        end += _LINE
    for inner in box.inner:
        drawn, end = _draw(inner, x + 12, end + 6, width - 24)
        parts.append(drawn)
    end += _PADDING
    frame = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="6"/>')
    frames = [frame.format("box behind", x + 5, y + 5, width, end - y)] if box.repeats > 1 else []
    frames.append(frame.format("box mark", x, y, width, end - y))
    return Markup().join([*frames, *parts]), end


def _wrapped(lines: Sequence[str], room: int) -> list[str]:
    """Metaparameters one after another, broken between them where possible, at most six lines."""
    joined = " · ".join(line.replace(" ", "\N{NO-BREAK SPACE}") for line in lines)
    wrapped = textwrap.wrap(joined, room, break_on_hyphens=False) if joined else []
    return [*wrapped[:5], "…"] if len(wrapped) > 6 else wrapped


def _arrow(x: float, start: float, end: float) -> Markup:
    return Markup('<path class="arrow" d="M{0:.1f} {1:.1f}V{2:.1f}m-4 -5l4 5l4 -5"/>').format(
        x, start + 2, end - 2
    )


def _pill(words: str, y: float, x: float, width: float) -> Markup:
    return Markup(
        '<rect class="pill" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="30" rx="15"/>'
        '<text class="flow" x="{:.1f}" y="{:.1f}">{}</text>'
    ).format(x, y, width, x + width / 2, y + 19.5, shortened(words, max(6, int((width - 20) / 6.4))))


SECTION = Section("network", "Network", network)
