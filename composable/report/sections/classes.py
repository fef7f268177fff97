"""How a model of classes errs: confusion matrix, reliability of the probabilities, ROC curve.

Where several labels may apply at once: reliability, and precision and recall of each label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from composable.report.reading import number, objects, paired, sequence, shortened, texts
from composable.report.section import (
    DEEP,
    FAINT,
    INK,
    MARK,
    MODEL,
    PALE,
    Chart,
    Drawn,
    Span,
    Table,
    draw,
    single,
)
from composable.report.standing import share_interval
from composable.report.words import NONE, counted, fixed, percent

CLASSES = 30  # drawn of a confusion matrix
_NUMBERED = 12  # up to so many classes, each cell says its count
_CONFUSIONS = 8  # most frequent ones, listed
_READ = 500  # classes of a matrix that are read at all
LABELS = 60  # rows of the table


def classes(name: str, head: Mapping[str, Any]) -> Drawn | None:
    """The charts of a head of classes, for every row or every pixel; None of any other head."""
    if "confusion" not in head:
        return None
    labels, matrix = _matrix(head)
    if "roc" not in head:
        charts = (confusion_chart(name, labels, matrix), reliability(name, head, "of the chosen class"))
        return Drawn(charts, (_confusion_table(labels, matrix),))
    about = f"of {shortened(labels[1], 24)}" if len(labels) == 2 else "of the second class"
    return Drawn(
        (
            confusion_chart(name, labels, matrix, span="third"),
            reliability(name, head, about),
            roc_chart(name, paired(sequence(head.get("roc")))),
        )
    )


def reliability(name: str, head: Mapping[str, Any], about: str) -> Chart | None:
    """The reliability that the diagnostics of a head hold; `about` says whose probability it is."""
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
        for row in sequence(head.get("confusion"))[:_READ]
    ]
    size = len(rows)
    matrix = np.zeros((size, size))
    for index, row in enumerate(rows):
        matrix[index, : len(row[:size])] = row[:size]
    labels = texts(head.get("labels"))
    return tuple(
        labels[index] if index < len(labels) else f"class {index + 1}" for index in range(size)
    ), matrix


def _confusion_table(labels: Sequence[str], matrix: np.ndarray) -> Table | None:
    """The pairs of classes that are taken for each other most often."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
    cells = [divmod(int(index), max(1, len(labels))) for index in order]
    rows = tuple(
        (
            shortened(labels[row], 30),
            shortened(labels[column], 30),
            f"{int(wrong[row, column]):,}",
            percent(wrong[row, column] / matrix[row].sum()),
        )
        for row, column in cells
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


def confusion_chart(
    name: str, labels: tuple[str, ...], matrix: np.ndarray, *, span: Span | None = None
) -> Chart | None:
    """A confusion matrix, (classes, classes), observed by predicted; None where it is empty."""
    total = matrix.sum()
    if not total:
        return None
    keep = np.sort(np.argsort(-matrix.sum(axis=1), kind="stable")[:CLASSES])
    shown = matrix[np.ix_(keep, keep)]
    shares = shown / np.maximum(matrix[keep].sum(axis=1, keepdims=True), 1)
    names = [shortened(labels[index], 16) for index in keep]
    classes = len(names)

    def paint(figure: Figure) -> None:
        axes = single(figure, across="predicted class", up="observed class")
        axes.grid(visible=False)
        # A square root, since what matters is small: one row in twenty that goes wrong must be seen.
        colors = LinearSegmentedColormap.from_list("share", [PALE, DEEP])
        axes.pcolormesh(
            shares, cmap=colors, norm=PowerNorm(0.5, 0, 1), edgecolors="white", linewidth=1, gid=MARK
        )
        upright = classes > 6 or max(map(len, names)) > 8
        places = np.arange(classes) + 0.5
        axes.set_xticks(places, names, rotation=90 if upright and max(map(len, names)) > 2 else 0)
        axes.set_yticks(places, names)
        axes.tick_params(length=0)
        axes.invert_yaxis()
        axes.spines[:].set_visible(b=False)
        if classes <= _NUMBERED:
            _numbers(axes, shown, shares)

    note = "Each row is what was observed; the darker a cell, the larger its share of the row."
    if len(labels) > classes:
        note += f" The {classes} most frequent of {len(labels):,} classes are drawn."
    taken: Span = span or ("half" if classes <= 10 else "most")
    height = {"third": 2.8, "half": 3.3, "most": 5.6, "wide": 6.5}[taken]
    return draw(paint, title=f"{shortened(name, 40)}: confusion matrix", span=taken, height=height, note=note)


def _numbers(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.3 else INK
        center = (column + 0.5, row + 0.5)
        axes.annotate(f"{int(count):,}", center, color=color, ha="center", va="center", fontsize=8)


def reliability_chart(name: str, bins: Sequence[tuple[float, float, float]], *, about: str) -> Chart | None:
    """Whether the probabilities can be taken at their word.

    Args:
        name: The head.
        bins: (predicted, observed, rows) per bin.
        about: What is predicted with this probability.
    """
    if not bins:
        return None

    def paint(figure: Figure) -> None:
        axes = single(figure, across=f"probability {about}", up="observed share of rows")
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        predicted, observed, rows = (list(values) for values in zip(*bins, strict=True))
        ends = [share_interval(share, max(1.0, count)) for share, count in zip(observed, rows, strict=True)]
        axes.vlines(
            predicted,
            [low for low, _ in ends],
            [high for _, high in ends],
            color=MODEL,
            alpha=0.3,
            linewidth=3,
        )
        axes.plot(predicted, observed, color=MODEL, linewidth=1, marker="o", markersize=4.5, gid=MARK)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))

    note = "On the dashed line a probability means what it says; bars are 90 % intervals of bins of rows."
    return draw(paint, title=f"{shortened(name, 32)}: reliability", span="third", height=2.8, note=note)


def roc_chart(name: str, points: Sequence[tuple[float, float]]) -> Chart | None:
    """The trade-off between false alarms and hits."""
    if len(points) < 2:
        return None

    def paint(figure: Figure) -> None:
        axes = single(figure, across="false positive rate", up="true positive rate")
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        across, up = zip(*points, strict=True)
        axes.fill_between(across, up, color=MODEL, alpha=0.08, linewidth=0)
        axes.plot(across, up, color=MODEL, linewidth=1.6, gid=MARK)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))

    note = "Every threshold is one point; the dashed line is guessing."
    return draw(paint, title=f"{shortened(name, 32)}: ROC curve", span="third", height=2.8, note=note)


def labels(name: str, head: Mapping[str, Any]) -> Drawn | None:
    """The charts of a head of several labels; None of any other head."""
    if "confusions" not in head:
        return None
    return Drawn((reliability(name, head, "of a label"),), (_label_table(head),))


def _label_table(head: Mapping[str, Any]) -> Table | None:
    """Precision, recall and their harmonic mean per label, at probability one half."""
    names, rows = texts(head.get("targets")), []
    confusions = sequence(head.get("confusions"))
    for index, confusion in enumerate(confusions[:LABELS]):
        cells = [number(cell) or 0.0 for row in sequence(confusion) for cell in sequence(row)]
        if len(cells) != 4:
            continue
        _, false_alarms, misses, hits = cells
        positives, total = misses + hits, max(1.0, sum(cells))
        rows.append(
            (
                shortened(names[index] if index < len(names) else f"label {index + 1}", 40),
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
