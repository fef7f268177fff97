"""What is suggested after the portfolio: in which family, with which values, how many in all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from composable.core.seeds import derive
from composable.search.sampling import Sampler, Tried, drawn
from composable.search.space import OpenCandidate, content_of, family_named, with_values
from composable.training.candidate import Candidate

BATCH = 4  # suggestions that are made before the results of the first of them are known
_SURVIVORS = 3  # families at most
_TURNS = (0, 1, 0, 2)  # whose turn it is, by rank: the best family has every other suggestion
_ATTEMPTS = 20  # to find what wasn't tried yet
_ROWS, _CANDIDATES = (100, 500, 2_500, 10_000, 100_000), (4, 8, 15, 40, 100)


@dataclass(frozen=True)
class Outcome:
    """A candidate that was begun, and its score.

    Attributes:
        candidate: As it was trained.
        loss: The score, the lower the better; NaN where there is none, or it isn't known.
        ended: Whether it came to its end, in whatever way.
    """

    candidate: Candidate
    loss: float = math.nan
    ended: bool = True


def most_candidates(rows: int) -> int:
    """How many candidates are worth trying on so many rows; of more, the best score is a lucky one.

    It is log-log through (100, 4), (500, 8), (2,500, 15), (10,000, 40) and (100,000, 100) rows, as TabArena
    measured it.
    """
    found = np.interp(math.log(max(rows, 1)), np.log(_ROWS), np.log(_CANDIDATES))
    return round(math.exp(float(found)))


def number_of(candidate: str, families: Sequence[OpenCandidate]) -> int | None:
    """The number of a suggestion by its name, such as `realmlp_7`; None of the portfolio's candidates."""
    family = family_named(families, candidate)
    suffix = candidate.removeprefix(f"{family.name}_") if family else ""
    return int(suffix) if suffix.isdecimal() else None


def is_known_enough(number: int, running: Sequence[str], families: Sequence[OpenCandidate]) -> bool:
    """Whether a suggestion can be made: all that it is made by has ended.

    It is made by the portfolio's results and those of the earlier batches, so that the same suggestions come
    however many trainings run side by side.

    Args:
        number: Of the suggestion.
        running: The names of the candidates that have not ended.
        families: That are open.
    """
    first = number - number % BATCH
    numbers = (number_of(name, families) for name in running)
    return all(one is not None and one >= first for one in numbers)


def suggest(
    families: Sequence[OpenCandidate],
    outcomes: Sequence[Outcome],
    sampler: Sampler,
    number: int,
    seed: int,
) -> Candidate | None:
    """Another candidate, of one of the families that did best; None where there is nothing left to try.

    The seed of the sampler is derived from the fit's seed and the number alone.

    Args:
        families: That are open.
        outcomes: Of all candidates that were begun, in the order of their numbers.
        sampler: Says which values are next.
        number: Of the suggestion, from 0.
        seed: Of the fit.
    """
    first = number - number % BATCH
    known = [_as_then(one, first, families) for one in outcomes]
    living = survivors(families, known)
    turn = _TURNS[number % len(_TURNS)] % len(living) if living else 0
    for family in (*living[turn:], *living[:turn]):
        found = _untried(family, known, sampler, number, seed)
        if found is not None:
            return found
    return None


def survivors(families: Sequence[OpenCandidate], outcomes: Sequence[Outcome]) -> list[OpenCandidate]:
    """The better half of the families with something open, at most three, the best first.

    Where no score is known, all of them.
    """
    best: dict[str, float] = {}
    for one in outcomes:
        family = family_named(families, one.candidate.name)
        if family is not None and not math.isnan(one.loss):
            best[family.name] = min(best.get(family.name, math.inf), one.loss)
    opened = [family for family in families if family.openings]
    scored = sorted((family for family in opened if family.name in best), key=lambda one: best[one.name])
    return scored[: min(_SURVIVORS, math.ceil(len(scored) / 2))] or opened


def _as_then(one: Outcome, first: int, families: Sequence[OpenCandidate]) -> Outcome:
    """The outcome as it was known when a batch began, whatever is known now."""
    number = number_of(one.candidate.name, families)
    return replace(one, loss=math.nan, ended=False) if number is not None and number >= first else one


def _untried(
    family: OpenCandidate, outcomes: Sequence[Outcome], sampler: Sampler, number: int, seed: int
) -> Candidate | None:
    own = [one for one in outcomes if family_named((family,), one.candidate.name)]
    history = [Tried(family.values_of(one.candidate), one.loss, running=not one.ended) for one in own]
    known = [content_of(one.candidate) for one in own]
    for attempt in range(_ATTEMPTS):
        ask = sampler if attempt < _ATTEMPTS // 2 else drawn
        values = ask(family, history, derive(seed, "suggestion", number, attempt))
        candidate = family.closed(
            lambda path, _opening, values=values: values[path], f"{family.name}_{number}"
        )
        further = {path: value for path, value in values.items() if path not in family.openings}
        candidate = with_values(candidate, further)
        if content_of(candidate) not in known:
            return candidate
    return None
