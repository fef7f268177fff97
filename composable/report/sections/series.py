"""Where a model of series errs: the worst errors as lines, the windows that decided marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from composable.report.facts import Facts
from composable.report.reading import number, objects, paired, sequence, shortened, text
from composable.report.section import BASELINE, MARK, MODEL, OTHER, REFERENCE, Chart, Section, draw, single
from composable.report.words import figure, percent

ERRORS, CHANNELS, WINDOWS = 12, 8, 40  # shown at most
_COLORS = (MODEL, OTHER, REFERENCE)
_DARKEST = 0.45  # of a mark
_LEAST = 0.25  # of the strongest window's effect: what decides less isn't marked

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Series:
    """The worst errors, one chart each, and whether any has its windows marked."""

    charts: tuple[Chart, ...]
    marked: bool


def series(facts: Facts) -> Series | None:
    """What `series.json` says of errors; None where there is none."""
    found = facts.file("series")
    if not found:
        return None
    shown = [entry for entry in objects(found.get("errors"))[:ERRORS] if _channels(entry)]
    return Series(tuple(map(_chart, shown)), any(_windows(entry) for entry in shown))


def _chart(entry: Mapping[str, Any]) -> Chart:
    chance = number(entry.get("probability"))
    sure = f" ({percent(chance)})" if chance is not None else ""
    title = f"predicted {_value(entry.get('predicted'))}{sure}, observed {_value(entry.get('observed'))}"
    row = number(entry.get("row"))
    note = f"row {row:.0f}" if row is not None else ""
    paint = partial(_paint, channels=_channels(entry), windows=_windows(entry))
    return draw(paint, title=title, span="third", height=1.7, note=note)


def _paint(figure_: Figure, *, channels: list[Points], windows: list[tuple[float, float, float]]) -> None:
    axes = single(figure_, across="step", up="", grid="y")
    for first, end, strength in windows:
        axes.axvspan(first - 0.5, end - 0.5, color=BASELINE, alpha=_DARKEST * strength, linewidth=0)
    for place, points in enumerate(channels):
        steps, values = zip(*points, strict=True)
        axes.plot(steps, values, color=_COLORS[place % len(_COLORS)], linewidth=1.2, gid=f"{MARK}{place}")


def _channels(entry: Mapping[str, Any]) -> list[Points]:
    found = [paired(sequence(channel)) for channel in sequence(entry.get("channels"))[:CHANNELS]]
    return [points for points in found if points]


def _windows(entry: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """First step, step after the last, and a strength up to 1, of those that speak for the prediction."""
    known = []
    for window in sequence(entry.get("windows"))[:WINDOWS]:
        match [number(value) for value in sequence(window)]:
            case [float(first), float(end), float(effect)]:
                known.append((first, end, effect))
    strongest = max((effect for _, _, effect in known), default=0.0)
    if strongest <= 0:
        return []
    return [(a, b, effect / strongest) for a, b, effect in known if effect >= _LEAST * strongest]


def _value(value: object) -> str:
    found = number(value)
    return figure(found) if found is not None else shortened(text(value), 30)


SECTION = Section("series", "Series", series)
