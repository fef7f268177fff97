"""The candidates that a search tries, in their order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from composable.auto.options import FitOptions
from composable.auto.prepare import Prepared
from composable.auto.trainings import Trainings
from composable.auto.transfer import transferred
from composable.auto.user_inputs import UserInputs, check_size
from composable.auto.within_limits import is_within, within_limits
from composable.core.errors import ConfigError
from composable.design.building import outline
from composable.design.inputs import Input
from composable.modality import candidates, families, modality_of
from composable.modality.facts import DataFacts, facts_of
from composable.modality.modality import Modality
from composable.search.guidance import Guidance, path_in
from composable.search.guided import Guided, guided
from composable.search.limits import Limits
from composable.search.sampling import SAMPLERS, Sampler, by_architecture
from composable.search.space import TRAINING, OpenCandidate, content_of, largest
from composable.search.suggestions import (
    Outcome,
    is_known_enough,
    most_candidates,
    number_of,
    suggest,
)
from composable.search.untrained import ROWS, CostLimits, known_untrained
from composable.training.candidate import Candidate

_LOOKED_AHEAD = 3  # candidates
_OF_A_DESIGN = 7  # candidates of a user's own design, where there is no time limit
_SCORED = 600.0  # seconds, from which on the first architectures are scored untrained
_MISSES = 20  # suggestions in a row that are too large or known, after which there is no other


@dataclass(eq=False)
class Upcoming:
    """The candidates to come: those planned, then suggestions; some can be looked at before they are taken.

    Attributes:
        planned: The portfolio and what comes before it; within the limits of the deployed model, if any.
        portfolio: The same, whatever the limits.
        families: That suggestions are made from.
        before: The families before a person's decisions.
        next_suggestion: By its number; None where there is nothing left to try.
        most: Candidates in all.
        suggesting: Whether suggestions follow as soon as the portfolio is over.
    """

    planned: Iterator[Candidate]
    portfolio: Sequence[Candidate]
    families: Sequence[OpenCandidate]
    before: Sequence[OpenCandidate]
    next_suggestion: Callable[[int], Candidate | None]
    most: int
    suggesting: bool
    _seen: deque[Candidate] = field(default_factory=deque)
    _begun: int = 0
    _number: int = 0
    _looked_at: int = 0

    def next(self) -> Candidate | None:
        """The next one; None where there is none."""
        self._look(1, ())
        if not self._seen:
            return None
        self._begun += 1
        return self._seen.popleft()

    @property
    def to_come(self) -> list[Candidate | None]:
        """The candidates that may still come, None for a suggestion that isn't made yet; at most so many."""
        known = [*self._seen, *self.portfolio[self._looked_at :]][: self.most - self._begun]
        more = self.most - self._begun - len(known) if self.suggesting else 0
        return [*known, *[None] * more]

    def waits_for(self, running: Sequence[str]) -> bool:
        """Whether the next one can't be known before some of these, by their names, have ended."""
        self._look(1, running)
        return not self._seen and self._suggests and not is_known_enough(self._number, running, self.families)

    def next_network(self, running: Sequence[str]) -> Candidate | None:
        """The next one that is trained step by step; None where there is none among the next few."""
        self._look(_LOOKED_AHEAD, running)
        return next((one for one in self._seen if one.solver is None), None)

    def begin_suggesting(self) -> bool:
        """Let suggestions follow; False where there are none."""
        self.suggesting = True
        self._look(1, ())
        return bool(self._seen)

    def skipped(self, candidate: Candidate) -> None:
        """There was no time for one: of the portfolio a smaller one may fit, but suggestions end."""
        if number_of(candidate.name, self.families) is not None:
            self.suggesting = False
            self._seen = deque(one for one in self._seen if number_of(one.name, self.families) is None)

    @property
    def _suggests(self) -> bool:
        return self.suggesting and self._begun + len(self._seen) < self.most

    def _look(self, count: int, running: Sequence[str]) -> None:
        room = min(count, self.most - self._begun) - len(self._seen)
        for candidate in islice(self.planned, max(0, room)):
            self._seen.append(candidate)
            self._looked_at += 1
            if (number := number_of(candidate.name, self.families)) is not None:  # of an earlier session
                self._number = max(self._number, number + 1)
        while (
            len(self._seen) < count
            and self._suggests
            and is_known_enough(self._number, running, self.families)
        ):
            found = self.next_suggestion(self._number)
            self._number += 1
            if found is None:
                self.suggesting = False
            else:
                self._seen.append(found)


@dataclass(frozen=True)
class Plan:
    """What a search begins with, before a person's decisions.

    Attributes:
        facts: That it goes by.
        portfolio: The candidates for these data.
        families: Of the portfolio, with what is open in each.
    """

    facts: DataFacts
    portfolio: tuple[Candidate, ...]
    families: tuple[OpenCandidate, ...]


def plan(
    prepared: Prepared,
    options: FitOptions,
    user_inputs: UserInputs,
    seconds: float,
    note: Callable[[str], None],
) -> Plan:
    """The portfolio for prepared rows, and its families.

    Args:
        prepared: The rows.
        options: Of the fit.
        user_inputs: A design of the user's own, or a trained network.
        seconds: For the whole portfolio.
        note: Is told what was decided about augmentation.
    """
    split, material = prepared.split, prepared.material
    modality = modality_of(material.inputs, prepared.understood.problem)
    most_weights = options.limits.most_weights / split.scored_folds
    facts = replace(facts_of(material, split, prepared.encoding), most_weights=most_weights)
    if modality.augment is not None:
        train = split.folds[0].train
        facts = modality.augment(facts, material, train, options.augment, options.seed, note)
    first = []
    if (source := user_inputs.pretrained) is not None:
        freeze, unfreeze = options.freeze, options.unfreeze
        first = [transferred(source, facts, prepared, freeze=freeze, unfreeze=unfreeze)]
    epochs, design, training = options.max_epochs, user_inputs.design, user_inputs.training
    portfolio = tuple(
        candidates(
            facts,
            seed=options.seed,
            seconds=seconds,
            max_epochs=epochs,
            design=design,
            first=first,
            training=training,
        )
    )
    if options.interpretable:
        portfolio = _readable(portfolio, modality)
    found = families(facts, portfolio, max_epochs=epochs, design=design, training=training)
    return Plan(facts, portfolio, found)


def guided_plan(begun: Plan, prepared: Prepared, user_inputs: UserInputs) -> Guided:
    """The plan as a person decided.

    Raises:
        ConfigError: If a decision can't be, contradicts another one, or leaves nothing to try.
    """
    guidance = user_inputs.guidance
    if guidance.is_empty:
        return Guided((), begun.portfolio, begun.families)
    _refuse_twice(guidance, user_inputs.training, begun.families)
    found = guided(begun.portfolio, begun.families, guidance)
    known = {family.name: family for family in begun.families}
    for family in found.families:
        if family != known[family.name]:
            weights = weights_of(largest(family), prepared.material.shapes)
            check_size(weights, f"the largest {family.name}")
    return found


def upcoming(
    trainings: Trainings, user_inputs: UserInputs, outcomes: Callable[[], list[Outcome]]
) -> Upcoming:
    """The portfolio as a person guides it; on few rows, where time or trials are left, suggestions after it.

    On many rows the time is better spent on more folds of what won first.

    Args:
        trainings: Over the rows.
        user_inputs: What the user brings.
        outcomes: What is known of the candidates that were begun.

    Raises:
        ConfigError: If what the user decides can't be, or leaves nothing to try.
    """
    prepared, options, book = trainings.prepared, trainings.options, trainings.book
    begun = plan(prepared, options, user_inputs, trainings.left, book.note)
    tried = guided_plan(begun, prepared, user_inputs)
    earlier = [one.candidate for one in book.earlier if one.is_done or tried.allows(one.candidate)]
    networks = prepared.split.scored_folds
    planned = list(_after(earlier, tried, same_names=user_inputs.guidance.is_empty))
    limits, designed = options.limits, user_inputs.design is not None
    sampler = _sampler(trainings, tried.families, designed=designed)

    def next_suggestion(number: int) -> Candidate | None:
        for attempt in range(_MISSES):
            begun_ones = outcomes()
            one = suggest(tried.families, begun_ones, sampler, number, options.seed + attempt)
            if one is None:
                return None
            one, known = tried.held(one), {content_of(each.candidate) for each in begun_ones}
            fits = limits == Limits() or is_within(one, limits, networks, trainings.foreseen_cost)
            if fits and content_of(one) not in known:
                return one
        return None

    found: Iterable[Candidate] = planned
    if limits != Limits():
        found = within_limits(planned, limits, networks, trainings.foreseen_cost)
        too_large = not any(is_within(one, limits, networks, trainings.foreseen_cost) for one in planned)
        if designed and too_large and (smaller := next_suggestion(0)) is not None:
            found = [replace(smaller, name=tried.families[0].name)]  # of what is open, it was drawn too large
    timed = math.isfinite(trainings.deadline.seconds)
    every_fold = networks == len(prepared.split.folds)
    most = max(most_candidates(begun.facts.rows), len(tried.first) + len(tried.portfolio))
    if designed and not timed:
        most = _OF_A_DESIGN
    return Upcoming(
        iter(found),
        planned,
        tried.families,
        begun.families,
        next_suggestion,
        options.max_trials or most,
        suggesting=(timed and every_fold) or designed or options.max_trials is not None,
    )


def _sampler(trainings: Trainings, families: Sequence[OpenCandidate], *, designed: bool) -> Sampler:
    """That of the options; by default TPE, or that over architectures where a design leaves its own open."""
    options, prepared = trainings.options, trainings.prepared
    is_open = any(family.usual.architecture.openings() for family in families)
    name = options.sampler or ("architecture" if designed and is_open else "tpe")
    if name != "architecture":
        return SAMPLERS[name]
    networks, seconds = prepared.split.scored_folds, trainings.deadline.seconds
    train = prepared.split.folds[0].train
    rows = prepared.material.at(train[: min(ROWS, len(train))]) if seconds >= _SCORED else None
    shapes, limits = prepared.material.shapes, CostLimits(options.limits.most_weights / networks)
    return partial(by_architecture, untrained=known_untrained(shapes, rows, limits=limits, seed=options.seed))


def _after(earlier: Sequence[Candidate], tried: Guided, *, same_names: bool) -> Iterator[Candidate]:
    """What was begun in earlier sessions, then what is planned now and wasn't begun.

    Args:
        earlier: In the order of their numbers.
        tried: What is planned.
        same_names: Whether one that is planned is taken for the earlier one of its name.
    """
    yield from earlier
    names = {one.name for one in earlier} if same_names else set()
    for one in (*tried.first, *tried.portfolio):
        if one.name not in names and (one.begin is not None or one not in earlier):
            yield one


def _refuse_twice(
    guidance: Guidance, training: Mapping[str, object], families: Sequence[OpenCandidate]
) -> None:
    """Refuse a setting that is both overruled for all trainings and pinned or bounded.

    Raises:
        ConfigError: If there is one.
    """
    overruled = {f"{TRAINING}.{name}" for name in training}
    for limit in guidance.limits:
        if overruled & {path_in(limit.path, family.name) for family in families}:
            raise ConfigError(
                "A setting of the training is decided once.",
                received=f"--training {', '.join(training)} and {limit.origin}",
                remedy="leave one of them out",
            )


def weights_of(candidate: Candidate, shapes: Mapping[str, Input]) -> int:
    """The weights of one network of a candidate.

    Args:
        candidate: Without openings.
        shapes: What it takes in.
    """
    return int(outline(candidate.architecture, shapes)[0].count_params())


def _readable(portfolio: Iterable[Candidate], modality: Modality) -> tuple[Candidate, ...]:
    """Those of the portfolio that a person can read.

    Raises:
        ConfigError: If there is none for such rows.
    """
    readable = tuple(one for one in portfolio if one.name in modality.readable)
    if not readable:
        raise ConfigError(
            "A model that can be read is linear in its columns or in words.",
            received=f"interpretable; for such rows ({modality.name}) no candidate is",
            remedy="leave --interpretable out; the report shows what decides the answers",
        )
    return readable
