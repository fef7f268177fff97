"""Charts of how a model errs: numbers, classes, probabilities, and the columns it leans on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from composable.report.canvas import BASELINE, DEEP, FAINT, INK, MARK, MODEL, PALE, Chart, Span, draw, single
from composable.report.reading import shortened
from composable.report.uncertainty import wilson

CLASSES = 30  # drawn of a confusion matrix
COLUMNS = 20  # bars of the importance
_POINTS = 1000  # drawn of a regression
_NUMBERED = 12  # up to so many classes, each cell says its count


def scatter_chart(target: str, observed: np.ndarray, predicted: np.ndarray) -> Chart:
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


def residual_chart(target: str, residuals: np.ndarray) -> Chart | None:
    """How the errors are spread; None where there is nothing to spread."""
    low, high = float(residuals.min()), float(residuals.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        return None
    bins = int(np.clip(np.sqrt(residuals.size) * 1.5, 6, 40))

    def paint(figure: Figure) -> None:
        axes = single(figure, across=f"predicted {MINUS} observed {target}", up="rows", grid="y")
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


MINUS = "\N{MINUS SIGN}"


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
    names = [shortened(labels[place], 16) for place in keep]
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
        place = (column + 0.5, row + 0.5)
        axes.annotate(f"{int(count):,}", place, color=color, ha="center", va="center", fontsize=8)


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
        ends = [wilson(share, max(1.0, count)) for share, count in zip(observed, rows, strict=True)]
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


def importance_chart(columns: Sequence[tuple[str, float, float]], *, metric: str) -> Chart | None:
    """How much worse the model gets when a column is shuffled.

    Args:
        columns: (name, mean, spread) per column, most important first.
        metric: The metric's name with its unit.
    """
    if not columns:
        return None
    shown = columns[:COLUMNS]

    def paint(figure: Figure) -> None:
        axes = single(figure, across=f"worsening of {metric} when the column is shuffled", up="", grid="x")
        names, means, spreads = (list(values) for values in zip(*shown, strict=True))
        places = range(len(shown))
        axes.barh(places, means, height=0.62, color=MODEL, gid=MARK)
        axes.errorbar(means, places, xerr=spreads, fmt="none", ecolor=INK, elinewidth=1, alpha=0.7)
        axes.axvline(0, color="#b4bcc6", linewidth=0.8)
        axes.set_yticks(places, [shortened(name, 40) for name in names])
        axes.set_ylim(len(shown) - 0.4, -0.6)

    note = "Lines show the spread over repeated shuffles. Columns that carry the same information share it."
    if len(columns) > COLUMNS:
        note += f" The {COLUMNS} most important of {len(columns):,} columns are drawn."
    return draw(
        paint, title="Permutation importance", span="wide", height=0.75 + 0.24 * len(shown), note=note
    )
