"""Candidates whose networks have no more weights than a user allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from composable.core.errors import ConfigError
from composable.design.building import outline
from composable.design.inputs import Input
from composable.training.candidate import Candidate


def small_enough(
    found: Iterable[Candidate], shapes: Mapping[str, Input], *, most: int, networks: int
) -> Iterator[Candidate]:
    """Those that `networks` of together have at most `most` weights.

    Args:
        found: Candidates; they come to an end.
        shapes: What a network takes in.
        most: Weights in all.
        networks: That every candidate is trained as, one on each fold, and that answer together.

    Raises:
        ConfigError: If there is none among them.
    """
    least, name = None, ""
    for candidate in found:
        model, _ = outline(candidate.architecture, shapes)
        weights = networks * model.count_params()
        if weights <= most:
            yield candidate
        if least is None or weights < least:
            least, name = weights, candidate.name
    if least is not None and least > most:
        raise ConfigError(
            "A network within max_parameters is needed.",
            received=f"max_parameters={most}; the smallest one, {name}, is {networks} network"
            f"{'s' * (networks > 1)} of {least // networks} weights",
            remedy=f"allow at least {least}, or leave max_parameters out",
        )
