"""The columns: which the model uses, by permutation importance, and what each holds, with a tiny picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from composable.data.schema import DATE_ORIGIN
from composable.report.facts import Facts
from composable.report.reading import count, number, objects, sequence, shortened, text, texts
from composable.report.section import INK, MARK, MODEL, Chart, Section, draw, single
from composable.report.standing import unit
from composable.report.words import NONE, counted, figure, metric_name, percent, size

COLUMNS = 20  # bars of importance
SHOWN = 300  # rows of the profile
_BARS = 30  # of a picture of one column
_WIDTH, _HEIGHT = 120, 26  # of such a picture


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


IMPORTANCE = Section("importance", "Importance", importance)


@dataclass(frozen=True)
class Row:
    """One column of the data."""

    name: str
    kind: str
    role: str
    reason: str
    missing: str
    distinct: str
    picture: Markup
    caption: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """The data in a few words and as a table, with what is left out."""

    about: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def profile(facts: Facts) -> Profile:
    """The profile; where there are more than 300 columns, targets and columns with warnings come first."""
    found = facts.file("profile")
    columns = objects(found.get("columns"))
    rows = count(found.get("rows")) or facts.run.rows
    total = max(facts.run.columns or 0, len(columns))
    about = []
    if rows is not None:
        about.append(f"{counted(rows, 'row')} and {counted(total, 'column')}")
    if (duplicates := count(found.get("duplicates"))) is not None:
        about.append("no duplicates" if not duplicates else f"{counted(duplicates, 'duplicate row')}")
    if (memory := number(found.get("memory_mb"))) is not None:
        about.append(f"{size(int(memory * 1e6))} in memory")
    shown = columns
    if len(columns) > SHOWN:
        shown = sorted(columns, key=_urgency)[:SHOWN]
    notes = []
    if total > len(shown):
        notes.append(
            f"{len(shown):,} of {total:,} columns are shown: targets first, then those with warnings."
        )
    return Profile(
        about=f"{', '.join(about)}." if about else "",
        rows=tuple(_row(column, rows) for column in shown),
        notes=tuple(notes),
    )


def _urgency(column: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    """Sorts targets first, then columns with warnings; those that were not looked at in detail come last."""
    unknown = column.get("missing") is None
    return column.get("role") != "target", unknown, not sequence(column.get("warnings"))


def _row(column: Mapping[str, Any], rows: int | None) -> Row:
    kind, missing, distinct = (
        text(column.get("kind"), 20),
        count(column.get("missing")),
        count(column.get("distinct")),
    )
    counts, caption = _distribution(column, kind, rows)
    return Row(
        name=text(column.get("name"), 80) or "(no name)",
        kind=kind,
        role=text(column.get("role"), 20),
        reason=text(column.get("reason"), 160),
        missing=NONE if missing is None or not rows else percent(min(1.0, missing / rows)),
        distinct=NONE if distinct is None else f"{distinct:,}",
        picture=_bars(counts, caption),
        caption=caption,
        warnings=tuple(shortened(warning, 240) for warning in texts(column.get("warnings"))[:5]),
    )


def _distribution(column: Mapping[str, Any], kind: str, rows: int | None) -> tuple[list[float], str]:
    """Bar heights and what they are, in words."""
    histogram = column.get("histogram")
    if isinstance(histogram, dict):
        heights = [max(0.0, number(value) or 0.0) for value in sequence(histogram.get("counts"))[:200]]
        low, middle, high = (_end(column.get(key), kind) for key in ("minimum", "median", "maximum"))
        inside = f", median {middle}" if middle else ""
        return heights, f"{low} to {high}{inside}" if low and high else ""
    pairs = [
        (text(pair[0], 24), number(pair[1]) or 0.0)
        for pair in sequence(column.get("top"))
        if isinstance(pair, list) and len(pair) == 2
    ]
    named = [
        f"{name or '(blank)'} {percent(min(1.0, rows_with / rows)) if rows else ''}".strip()
        for name, rows_with in pairs[:3]
    ]
    examples = [shortened(example, 30) for example in texts(column.get("examples"))[:2]]
    heights = [max(0.0, height) for _, height in pairs] if kind in ("category", "boolean") else []
    return heights, ", ".join(named or examples)


def _end(value: object, kind: str) -> str:
    """A limit of the values: a number, or a day that may be written as one (since `DATE_ORIGIN`)."""
    found = number(value)
    if kind == "date" and found is not None and abs(found) < 700_000:
        return (date.fromisoformat(DATE_ORIGIN) + timedelta(days=int(found))).isoformat()
    return figure(found) if found is not None else text(value, 24)


def _bars(heights: Sequence[float], words: str) -> Markup:
    """Bars from the left to the right, as one path; nothing where there is nothing to draw."""
    heights = heights[:_BARS] if len(heights) <= _BARS * 2 else _merged(heights)
    tallest = max(heights, default=0.0)
    if tallest <= 0:
        return Markup()
    step = min(_WIDTH / len(heights), 12)
    bars = [
        f"M{index * step:.1f} {_HEIGHT}v-{max(1.0, share * _HEIGHT):.1f}h{step * 0.85:.1f}V{_HEIGHT}z"
        for index, share in enumerate(height / tallest for height in heights)
        if share > 0
    ]
    return Markup(
        '<svg class="chart spark" role="img" aria-label="{0}" viewBox="0 0 {1} {2}"><title>{0}</title>'
        '<path class="mark" d="{3}"/></svg>'
    ).format(words or "Distribution of the values", _WIDTH, _HEIGHT, "".join(bars))


def _merged(heights: Sequence[float]) -> list[float]:
    """Neighboring bars added up, so that about thirty are left."""
    step = -(-len(heights) // _BARS)
    return [sum(heights[start : start + step]) for start in range(0, len(heights), step)]


DATA = Section("data", "Data", profile)
