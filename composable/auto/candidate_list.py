"""The candidates that a search tries, in their order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from composable.auto.trainings import Trainings
from composable.auto.transfer import transferred
from composable.auto.user_inputs import UserInputs
from composable.core.errors import ConfigError
from composable.design.building import outline
from composable.design.inputs import Input
from composable.modality import candidates
from composable.modality.facts import facts_of
from composable.training.candidate import Candidate

_MOST = 40  # later draws bring next to nothing, and each takes room on the disk
_LOOKED_AHEAD = 3  # candidates


@dataclass(eq=False)
class Upcoming:
    """The candidates to come; some of them can be looked at before they are taken."""

    candidates: Iterator[Candidate]
    _seen: deque[Candidate] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Candidate]:
        return self

    def __next__(self) -> Candidate:
        return self._seen.popleft() if self._seen else next(self.candidates)

    def next_network(self) -> Candidate | None:
        """The next one that is trained step by step; None where there is none among the next few."""
        self._seen.extend(islice(self.candidates, max(0, _LOOKED_AHEAD - len(self._seen))))
        return next((one for one in self._seen if one.solver is None), None)


def candidate_list(trainings: Trainings, user_inputs: UserInputs) -> Iterator[Candidate]:
    """The portfolio; where time or trials are left on few rows, random draws as well.

    On many rows the time is better spent on more folds of what won.
    """
    prepared, options, modality = trainings.prepared, trainings.options, trainings.modality
    split, material = prepared.split, prepared.material
    most_weights = math.inf if options.max_parameters is None else float(options.max_parameters)
    facts = replace(
        facts_of(material, split, prepared.encoding), most_weights=most_weights / split.scored_folds
    )
    if modality.augment is not None:
        train, note = split.folds[0].train, trainings.book.note
        facts = modality.augment(facts, material, train, options.augment, options.seed, note)
    first = []
    if (source := user_inputs.pretrained) is not None:
        freeze, unfreeze = options.freeze, options.unfreeze
        first = [transferred(source, facts, prepared, freeze=freeze, unfreeze=unfreeze)]
    found = candidates(
        facts,
        seed=options.seed,
        seconds=trainings.left,
        max_epochs=options.max_epochs,
        design=user_inputs.design,
        first=first,
        training=user_inputs.training,
    )
    timed = math.isfinite(trainings.deadline.seconds) and split.scored_folds == len(split.folds)
    draws = timed or options.max_trials is not None
    found = islice(found, max(_MOST, options.max_trials or 0) if draws else modality.portfolio_size(facts))
    if options.max_parameters is not None:
        found = small_enough(found, material.shapes, most=options.max_parameters, networks=split.scored_folds)
    return islice(found, options.max_trials)


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
