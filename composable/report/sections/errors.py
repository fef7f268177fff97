"""How the deployed model errs: for each head its scores, its charts, and tables where those say it better.

Numbers are drawn here: predicted against observed, and how the errors are spread; classes and labels in a
module of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from composable.report.facts import Facts
from composable.report.reading import number, numbers, objects, paired, sequence, shortened, text
from composable.report.section import BASELINE, FAINT, MARK, MODEL, Chart, Drawn, Section, Table, draw, single
from composable.report.sections.classes import classes, labels
from composable.report.words import figure, metric_name

HEADS = 8  # shown with their charts
_POINTS = 1000  # drawn
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class HeadErrors:
    """One head's part of the section."""

    title: str
    scores: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Errors:
    """The section: which rows, the heads, and what is left out."""

    about: str
    heads: tuple[HeadErrors, ...]
    note: str


def errors(facts: Facts) -> Errors:
    """Read the diagnostics of the deployed model."""
    found = facts.file("diagnostics")
    heads, rows = objects(found.get("heads")), number(found.get("rows"))
    parts = {"test": "test rows", "validation": "validation rows"}
    part = parts.get(text(found.get("part")), "held-out rows")
    return Errors(
        about=f"Measured on {int(rows):,} {part}." if rows else f"Measured on {part}.",
        heads=tuple(map(_head, heads[:HEADS])),
        note=f"{HEADS} of {len(heads):,} targets are shown." if len(heads) > HEADS else "",
    )


def _head(head: Mapping[str, Any]) -> HeadErrors:
    name = text(head.get("name")) or "target"
    scores = numbers(head.get("metrics")).items()
    drawn = next(
        (one for draw in (regression, classes, labels) if (one := draw(name, head)) is not None), Drawn(())
    )
    return HeadErrors(
        shortened(name, 60),
        tuple((metric_name(metric), figure(value)) for metric, value in scores),
        tuple(chart for chart in drawn.charts if chart is not None),
        tuple(table for table in drawn.tables if table is not None),
    )


def regression(name: str, head: Mapping[str, Any]) -> Drawn | None:
    """The charts of a head of numbers; None of any other head."""
    observed, predicted = sequence(head.get("observed")), sequence(head.get("predicted"))
    known = paired([y, p] for y, p in zip(observed, predicted, strict=False))
    if not known:
        return None
    y, p = np.array(known).T
    return Drawn((_scatter_chart(name, y, p), _residual_chart(name, p - y)))


def _scatter_chart(target: str, observed: np.ndarray, predicted: np.ndarray) -> Chart:
    """Predicted against observed numbers, (n,) each."""
    keep = np.unique(np.linspace(0, observed.size - 1, min(observed.size, _POINTS)).round().astype(int))

    def paint(figure: Figure) -> None:
        axes = single(figure, across=f"observed {target}", up=f"predicted {target}")
        ends = [min(observed.min(), predicted.min()), max(observed.max(), predicted.max())]
        axes.plot(ends, ends, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.scatter(observed[keep], predicted[keep], s=11, color=MODEL, alpha=0.5, linewidths=0, gid=MARK)

    note = "On the dashed line the prediction is exact."
    if keep.size < observed.size:
        note += f" {keep.size:,} of {observed.size:,} rows are drawn."
    return draw(
        paint,
        title=f"{shortened(target, 40)}: predicted against observed",
        span="half",
        height=3.3,
        note=note,
    )


def _residual_chart(target: str, residuals: np.ndarray) -> Chart | None:
    """How the errors are spread; None where there is nothing to spread."""
    low, high = float(residuals.min()), float(residuals.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        return None
    bins = int(np.clip(np.sqrt(residuals.size) * 1.5, 6, 40))

    def paint(figure: Figure) -> None:
        axes = single(figure, across=f"predicted {_MINUS} observed {target}", up="rows", grid="y")
        counts, edges = np.histogram(residuals, bins=np.linspace(low, high, bins + 1))
        axes.bar(
            edges[:-1],
            counts,
            np.diff(edges),
            align="edge",
            color=MODEL,
            edgecolor="white",
            linewidth=0.5,
            gid=MARK,
        )
        axes.axvline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.axvline(float(np.median(residuals)), color=BASELINE, linewidth=1.4)

    note = "Right of the dashed line the model predicts too much; the solid line is the median error."
    return draw(paint, title=f"{shortened(target, 40)}: errors", span="half", height=3.3, note=note)


SECTION = Section("errors", "Errors", errors)
