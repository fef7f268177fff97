"""Why the winner won: what it beats, what its members bring, which choices mattered, what to try next."""

from __future__ import annotations

from composable.report.facts import Facts
from composable.report.section import Section, Table
from composable.report.why import Why, why
from composable.report.words import NONE, figure, percent


def view(facts: Facts) -> tuple[Why, tuple[Table, ...]] | None:
    """The words and tables; None where no network was tried."""
    if not any(trial.role == "network" for trial in facts.trials):
        return None
    found = why(facts)
    return found, tuple(table for table in (_members(found), _choices(found)) if table.rows)


def _members(found: Why) -> Table:
    rows = tuple(
        (one.name, str(one.trial), percent(one.weight), _shown(one.without), _shown(one.brings))
        for one in found.members
    )
    header = ("Member", "Trial", "Weight", "Score without it", "Brings")
    note = "The weights of the others keep their ratio where one is left out."
    return Table("What each member of the ensemble brings", header, rows, 1, note)


def _choices(found: Why) -> Table:
    rows = tuple((one.choice, one.best, percent(one.importance), one.tried or NONE) for one in found.choices)
    header = ("Choice", "Best", "Importance", "Tried")
    note = (
        "How much each choice decides whether a trial is among the best fifth (PED-ANOVA, Watanabe et al. "
        "2023); few trials say little."
    )
    return Table("Which choices mattered", header, rows, 2, note)


def _shown(value: float | None) -> str:
    return figure(value, 4)


SECTION = Section("why", "Why it won", view)
