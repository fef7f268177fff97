"""The candidates that the limits of the deployed model leave, decided before any of them is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict

from composable.core.errors import ConfigError
from composable.search.limits import Limits, amount
from composable.training.candidate import Candidate
from composable.training.trainers import FAILURES

_OPTIONS = {"parameters": "max_parameters", "bytes": "max_bytes", "latency_ms": "max_latency"}
Cost = Callable[[Candidate], Mapping[str, float]]  # of one network of a candidate


def within_limits(
    found: Iterable[Candidate], limits: Limits, networks: int, cost: Cost
) -> Iterator[Candidate]:
    """Those whose networks are together within the limits of the deployed model.

    Args:
        found: Candidates; they come to an end.
        limits: Of the deployed model.
        networks: That a candidate is trained as, see `together`.
        cost: Of one network of a candidate.

    Raises:
        ConfigError: If there is none among them; names the least.
    """
    least: dict[str, tuple[float, float, str]] = {}  # of each cost: together, of one network, whose
    passed = False
    for candidate in found:
        try:
            each = cost(candidate)
        except FAILURES:  # its training will meet it as well, and say so
            yield candidate
            continue
        all_networks = together(candidate, each, networks)
        if not limits.exceeded(all_networks):
            passed = True
            yield candidate
        for name, one in each.items():
            known = least.get(name, (math.inf, one, ""))
            least[name] = min(known, (all_networks[name], one, candidate.name))
    if not passed and least:
        raise _none_within(limits, least)


def is_within(candidate: Candidate, limits: Limits, networks: int, cost: Cost) -> bool:
    """Whether a candidate's networks are together within the limits; true where they can't even be built."""
    try:
        return not limits.exceeded(together(candidate, cost(candidate), networks))
    except FAILURES:  # its training will meet it as well, and say so
        return True


def together(candidate: Candidate, each: Mapping[str, float], networks: int) -> dict[str, float]:
    """What a candidate costs: a closed-form fit answers by one network, others by one of each fold."""
    count = networks if candidate.solver is None else 1
    return {name: count * one for name, one in each.items()}


def _none_within(limits: Limits, least: Mapping[str, tuple[float, float, str]]) -> ConfigError:
    """The error that no candidate is within the limits."""
    parts, remedies = [], []
    for name, most in asdict(limits).items():
        if not math.isfinite(most):
            continue
        option = _OPTIONS[name]
        whole, each, candidate = least[name]
        count = round(whole / each) if each else 1
        parts.append(
            f"{option}={most:g}; the smallest one, {candidate}, is {count} network{'s' * (count > 1)} "
            f"of {amount(name, each).replace(',', '')}"
        )
        remedies.append(f"{option}={math.ceil(whole)}" if whole > most else f"a larger {option}")
    return ConfigError(
        f"A network within {' and '.join(one.partition('=')[0] for one in parts)} is needed.",
        received="; ".join(parts),
        remedy=f"allow {' and '.join(remedies)} at least, or leave the limit out",
    )
