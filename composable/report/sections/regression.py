"""How a model of numbers errs: predicted against observed, and how the errors are spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from composable.report.canvas import BASELINE, FAINT, MARK, MODEL, Chart, draw, single
from composable.report.reading import paired, sequence, shortened
from composable.report.section import Drawn

_POINTS = 1000  # drawn
_MINUS = "\N{MINUS SIGN}"


def regression(name: str, head: Mapping[str, Any]) -> Drawn | None:
    """The charts of a head of numbers; None of any other head."""
    observed, predicted = sequence(head.get("observed")), sequence(head.get("predicted"))
    known = paired([y, p] for y, p in zip(observed, predicted, strict=False))
    if not known:
        return None
    y, p = np.array(known).T
    return Drawn((scatter_chart(name, y, p), residual_chart(name, p - y)))


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
