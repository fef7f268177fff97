"""Which columns the model uses: permutation importance, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from composable.report.canvas import INK, MARK, MODEL, Chart, draw, single
from composable.report.facts import Facts
from composable.report.reading import number, objects, shortened, text
from composable.report.section import Section
from composable.report.standing import unit
from composable.report.words import metric_name

COLUMNS = 20  # bars


@dataclass(frozen=True)
class Importance:
    """The chart, None where nothing has been measured."""

    chart: Chart | None


def importance(facts: Facts) -> Importance | None:
    """What `diagnostics.json` says; None where there is but one column, which nothing compares with."""
    if facts.features.total() == 1:
        return None
    columns = [
        (text(entry.get("column"), 100), mean, abs(number(entry.get("spread")) or 0.0))
        for entry in objects(facts.file("diagnostics").get("importance"))
        if (mean := number(entry.get("mean"))) is not None
    ]
    columns.sort(key=lambda entry: -entry[1])
    trial = facts.deployed
    metric = trial.metric if trial else facts.run.metric
    return Importance(importance_chart(columns, metric=f"{metric_name(metric)}{unit(facts.run, metric)}"))


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


SECTION = Section("importance", "Importance", importance)
