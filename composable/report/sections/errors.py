"""How the deployed model errs: for each head its scores, its charts, and tables where those say it better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from composable.report.canvas import Chart
from composable.report.facts import Facts
from composable.report.reading import number, numbers, objects, shortened, text
from composable.report.section import Drawn, Section, Table
from composable.report.sections.classes import classes
from composable.report.sections.labels import labels
from composable.report.sections.regression import regression
from composable.report.words import figure, metric_name

HEADS = 8  # shown with their charts
_DRAWINGS = (regression, classes, labels)


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
    drawn = next((one for draw in _DRAWINGS if (one := draw(name, head)) is not None), Drawn(()))
    return HeadErrors(
        shortened(name, 60),
        tuple((metric_name(metric), figure(value)) for metric, value in scores),
        tuple(chart for chart in drawn.charts if chart is not None),
        tuple(table for table in drawn.tables if table is not None),
    )


SECTION = Section("errors", "Errors", errors)
