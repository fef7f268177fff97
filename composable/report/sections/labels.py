"""How a model of several labels at once errs: reliability, and precision and recall of each label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from composable.report.reading import number, sequence, shortened, texts
from composable.report.section import Drawn, Table
from composable.report.sections.classes import reliability
from composable.report.words import NONE, fixed, percent

LABELS = 60  # rows of the table


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
