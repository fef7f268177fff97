"""How the deployed model errs: for each head its charts, and a table where that says it better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.report.canvas import Chart
from composable.report.error_charts import (
    confusion_chart,
    importance_chart,
    reliability_chart,
    residual_chart,
    roc_chart,
    scatter_chart,
)
from composable.report.facts import Facts
from composable.report.reading import number, numbers, objects, paired, sequence, shortened, text, texts
from composable.report.standing import unit
from composable.report.words import NONE, counted, figure, fixed, metric_name, percent

HEADS = 8  # shown with their charts
LABELS = 60  # rows of the table of a multi-label head
_CONFUSIONS = 8  # most frequent ones, listed
_CLASSES = 500  # of a matrix that is read at all


@dataclass(frozen=True)
class Table:
    """A small table: the first `names` columns hold names, the others numbers."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int
    note: str = ""


@dataclass(frozen=True)
class HeadMistakes:
    """One head's part of the section."""

    title: str
    scores: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Mistakes:
    """The section: which rows, the heads, the columns the model leans on, and what is left out."""

    about: str
    heads: tuple[HeadMistakes, ...]
    importance: Chart | None
    notes: tuple[str, ...]


def mistakes(facts: Facts) -> Mistakes:
    """Read the diagnostics of the deployed model."""
    found = facts.diagnostics
    heads = objects(found.get("heads"))
    rows = number(found.get("rows"))
    part = {"test": "test rows", "validation": "validation rows"}.get(
        text(found.get("part")), "held-out rows"
    )
    notes = [f"{HEADS} of {len(heads):,} heads are shown."] if len(heads) > HEADS else []
    importance = [
        (text(entry.get("column"), 100), mean, abs(number(entry.get("spread")) or 0.0))
        for entry in objects(found.get("importance"))
        if (mean := number(entry.get("mean"))) is not None
    ]
    importance.sort(key=lambda entry: -entry[1])
    trial = facts.deployed
    metric = trial.metric if trial else facts.run.metric
    return Mistakes(
        about=f"Measured on {int(rows):,} {part}." if rows else f"Measured on {part}.",
        heads=tuple(_head(head) for head in heads[:HEADS]),
        importance=importance_chart(importance, metric=f"{metric_name(metric)}{unit(facts.run, metric)}"),
        notes=tuple(notes),
    )


def _head(head: Mapping[str, Any]) -> HeadMistakes:
    name = text(head.get("name")) or "target"
    scores = tuple(
        (metric_name(metric), figure(value)) for metric, value in numbers(head.get("metrics")).items()
    )
    match text(head.get("kind")):
        case "regression":
            charts, tables = _number_charts(name, head), []
        case "multilabel":
            charts, tables = [_reliability(name, head, "of a label")], [_label_table(head)]
        case "binary":
            labels, matrix = _matrix(head)
            about = f"of {shortened(labels[1], 24)}" if len(labels) == 2 else "of the second class"
            roc = roc_chart(name, paired(sequence(head.get("roc"))))
            charts = [
                confusion_chart(name, labels, matrix, span="third"),
                _reliability(name, head, about),
                roc,
            ]
            tables = []
        case _:
            labels, matrix = _matrix(head)
            charts = [confusion_chart(name, labels, matrix), _reliability(name, head, "of the chosen class")]
            tables = [_confusion_table(labels, matrix)]
    drawn = tuple(chart for chart in charts if chart is not None)
    return HeadMistakes(
        shortened(name, 60), scores, drawn, tuple(table for table in tables if table is not None)
    )


def _number_charts(name: str, head: Mapping[str, Any]) -> list[Chart | None]:
    observed, predicted = sequence(head.get("observed")), sequence(head.get("predicted"))
    known = paired([y, p] for y, p in zip(observed, predicted, strict=False))
    if not known:
        return []
    y, p = np.array(known).T
    return [scatter_chart(name, y, p), residual_chart(name, p - y)]


def _reliability(name: str, head: Mapping[str, Any], about: str) -> Chart | None:
    bins = [
        [number(entry.get(key)) for key in ("predicted", "observed", "rows")]
        for entry in objects(head.get("reliability"))
    ]
    known = [
        (p, o, r) for p, o, r in bins if p is not None and o is not None and r is not None and 0 <= o <= 1
    ]
    return reliability_chart(name, known, about=about)


def _matrix(head: Mapping[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels and counts, cut or filled to a square."""
    rows = [
        [max(0.0, number(cell) or 0.0) for cell in sequence(row)]
        for row in sequence(head.get("confusion"))[:_CLASSES]
    ]
    size = len(rows)
    matrix = np.zeros((size, size))
    for place, row in enumerate(rows):
        matrix[place, : len(row[:size])] = row[:size]
    labels = texts(head.get("labels"))
    return tuple(
        labels[place] if place < len(labels) else f"class {place + 1}" for place in range(size)
    ), matrix


def _confusion_table(labels: Sequence[str], matrix: np.ndarray) -> Table | None:
    """The pairs of classes that are taken for each other most often."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
    places = [divmod(int(place), max(1, len(labels))) for place in order]
    rows = tuple(
        (
            shortened(labels[row], 30),
            shortened(labels[column], 30),
            f"{int(wrong[row, column]):,}",
            percent(wrong[row, column] / matrix[row].sum()),
        )
        for row, column in places
        if wrong[row, column] > 0
    )
    if not rows:
        return None
    pairs = int((wrong > 0).sum())
    note = (
        f"The {len(rows)} most frequent of {counted(pairs, 'pair')} of classes." if pairs > len(rows) else ""
    )
    return Table(
        "Most frequent confusions", ("Observed", "Predicted", "Rows", "Of the observed"), rows, 2, note
    )


def _label_table(head: Mapping[str, Any]) -> Table | None:
    """Precision, recall and their harmonic mean per label, at probability one half."""
    names, rows = texts(head.get("targets")), []
    confusions = sequence(head.get("confusions"))
    for place, confusion in enumerate(confusions[:LABELS]):
        cells = [number(cell) or 0.0 for row in sequence(confusion) for cell in sequence(row)]
        if len(cells) != 4:
            continue
        _, false_alarms, misses, hits = cells
        positives, total = misses + hits, max(1.0, sum(cells))
        rows.append(
            (
                shortened(names[place] if place < len(names) else f"label {place + 1}", 40),
                f"{int(positives):,} ({percent(positives / total)})",
                _ratio(hits, hits + false_alarms),
                _ratio(hits, positives),
                _ratio(2 * hits, 2 * hits + false_alarms + misses),
            )
        )
    if not rows:
        return None
    note = f"The first {LABELS} of {len(confusions):,} labels." if len(confusions) > LABELS else ""
    return Table(
        "Each label at probability 0.5",
        ("Label", "Rows with it", "Precision", "Recall", "F1"),
        tuple(rows),
        1,
        note,
    )


def _ratio(part: float, whole: float) -> str:
    return fixed(part / whole, 3) if whole > 0 else NONE
