"""`space`: what a fit of some data would try, and what is open in it, before anything is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from composable.auto.candidate_list import guided_plan, plan
from composable.auto.options import FitOptions
from composable.auto.prepare import completed, prepare, read, understand_table
from composable.auto.user_inputs import UserInputs, check_design, read_design
from composable.search.guidance import read_guidance
from composable.search.space import OpenCandidate, family_named
from composable.search.space_file import space_text
from composable.training.candidate import Candidate
from composable.training.overrides import read_overrides


@dataclass(frozen=True)
class SearchSpace:
    """What a search would try.

    Attributes:
        families: With what is open in each.
        portfolio: The candidates that come before all suggestions.
    """

    families: tuple[OpenCandidate, ...]
    portfolio: tuple[Candidate, ...]

    def to_json(self) -> str:
        """The families as a file that `fit --space` takes."""
        return space_text(self.families)

    def rows(self) -> list[dict[str, Any]]:
        """One row for each opening: `family`, `path`, `options`, and `portfolio`, the values tried first."""
        found = []
        for family in self.families:
            own = [
                family.values_of(one)
                for one in self.portfolio
                if family_named(self.families, one.name) is family
            ]
            found += [
                {
                    "family": family.name,
                    "path": path,
                    "options": opening,
                    "portfolio": list(dict.fromkeys(one[path] for one in own if path in one)),
                }
                for path, opening in family.openings.items()
            ]
            if not family.openings:
                found.append({"family": family.name, "path": "", "options": None, "portfolio": []})
        return found


def space(data: Any, options: FitOptions) -> SearchSpace:
    """What a fit of these data by these options would try.

    Args:
        data: As `composable.fit` takes it.
        options: Of the fit.

    Raises:
        DataError, ConfigError: As `composable.fit` raises them.
    """
    guidance = read_guidance(
        pins=options.pins,
        ranges=options.ranges,
        excluded=options.exclude,
        tries=options.tries,
        space=options.space,
    )
    training = read_overrides(options.training)
    table = read(data, options)
    options = completed(options, table)
    understood = understand_table(table, options, _ignore)
    design = read_design(options.design, understood.schema)
    prepared = prepare(understood, options, _ignore, None)
    if design is not None:
        check_design(design, prepared)
    inputs = UserInputs(design, None, training, guidance)
    seconds = math.inf if options.time_limit is None else options.time_limit
    found = guided_plan(plan(prepared, options, inputs, seconds, _ignore), prepared, inputs)
    return SearchSpace(found.families, (*found.first, *found.portfolio))


def _ignore(_notice: Any) -> None:
    """What the fit itself will tell."""
