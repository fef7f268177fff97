"""What the user should know: warnings, and the choices that were made for them."""

from __future__ import annotations

from dataclasses import dataclass

from composable.report.facts import Facts, NoticeFacts
from composable.report.section import Section

MOST = 60  # of each level


@dataclass(frozen=True)
class Choices:
    """The notices by level, and how many more there are."""

    warnings: list[NoticeFacts]
    choices: list[NoticeFacts]
    left_out: int


def choices(facts: Facts) -> Choices:
    """The first notices of each level."""
    warnings = [notice for notice in facts.run.notices if notice.level == "warning"]
    others = [notice for notice in facts.run.notices if notice.level != "warning"]
    left_out = max(0, len(warnings) - MOST) + max(0, len(others) - MOST)
    return Choices(warnings[:MOST], others[:MOST], left_out)


SECTION = Section("choices", "Warnings and choices", choices)
