"""What a search may try: families of candidates, in each of which something is left open.

A path names what is open, or could be: a place in the architecture (`learner.1.units`), or the name that
several places share (`units`); a setting of the training (`training.learning_rate`); a metaparameter of a
closed-form solver (`solver.rows`).
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from composable.core.errors import ConfigError
from composable.design import Architecture, Part
from composable.design.choice import Between, Choice, Open
from composable.design.evolve import decisions
from composable.design.metaparameters import names, nearest
from composable.design.openings import children, close, joined, openings, rebuilt, reopened
from composable.engine.settings import Settings
from composable.training.candidate import Candidate, Small

TRAINING, SOLVER, SMALL = "training", "solver", "small"
ABSENT = object()
"""The value at a path that a candidate doesn't have."""
Values = Mapping[str, Any]


@dataclass(frozen=True)
class OpenCandidate:
    """A family: what its candidates have in common, and what is left open.

    Attributes:
        usual: Name, settings and share of time of the family; its architecture and solver may be open.
        training: What is open of the settings, by their names. `small` among them is the share of time in
            which images are small, see `composable.training.candidate.Small`.
    """

    usual: Candidate
    training: Mapping[str, Open] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the family."""
        return self.usual.name

    @property
    def openings(self) -> dict[str, Open]:
        """Everything left open, by its path."""
        settings = {f"{TRAINING}.{name}": opening for name, opening in self.training.items()}
        return self.usual.architecture.openings() | openings(self._solver) | settings

    @property
    def _solver(self) -> dict[str, Part]:
        """The solver by its section; nothing where there is none."""
        return {} if self.usual.solver is None else {SOLVER: self.usual.solver}

    def closed(self, choose: Callable[[str, Open], Any], name: str) -> Candidate:
        """A candidate with this name, everything open closed by `choose(path, opening)`."""
        values = {f"{TRAINING}.{each}": choose(f"{TRAINING}.{each}", o) for each, o in self.training.items()}
        architecture, solver = self.usual.architecture.fill(choose), close(self._solver, choose).get(SOLVER)
        return with_values(replace(self.usual, name=name, architecture=architecture, solver=solver), values)

    def values_of(self, candidate: Candidate) -> dict[str, Any]:
        """What a candidate of the family has where the family is open; nothing where it has no such place."""
        found = {f"{TRAINING}.{name}": _setting(candidate, name) for name in self.training}
        found |= {path: value_at(candidate, path) for path in openings(self._solver)}
        found = {path: value for path, value in found.items() if value is not ABSENT}
        try:
            return dict(decisions(self.usual.architecture, candidate.architecture)) | found
        except ConfigError:  # one that differs elsewhere too: what can be compared
            places = self.places
            own = {
                path: value_at(candidate, places[path][0])
                for path in self.usual.architecture.openings()
                if path in places
            }
        return {path: value for path, value in own.items() if value is not ABSENT} | found

    @property
    def places(self) -> dict[str, tuple[str, ...]]:
        """Where each opening of the architecture stands; those inside options stand nowhere yet."""
        found: dict[str, tuple[str, ...]] = {}
        for place, opening in _open_places(self.usual.architecture.to_parts(), ""):
            name = opening.name or place
            found[name] = (*found.get(name, ()), place)
        return found

    def reopened(self, path: str, value: Any) -> OpenCandidate:
        """The family with another opening, or a value, at a path.

        Raises:
            ConfigError: If the component there doesn't take it.
        """
        section, _, name = path.partition(".")
        if section == TRAINING:
            others = {each: opening for each, opening in self.training.items() if each != name}
            if isinstance(value, Open):
                return replace(self, training={**others, name: value})
            return OpenCandidate(with_values(self.usual, {path: value}), others)
        if path in openings(self._solver):
            solver = reopened(self._solver, lambda at, one: value if at == path else one)[SOLVER]
            return replace(self, usual=replace(self.usual, solver=solver))
        architecture = self.usual.architecture
        if path in architecture.openings():
            named = replace(value, name=path) if _shared(self, path) and isinstance(value, Open) else value
            parts = reopened(architecture.to_parts(), lambda at, one: named if at == path else one)
            return replace(self, usual=replace(self.usual, architecture=architecture.with_parts(parts)))
        return replace(self, usual=with_values(self.usual, {path: value}))


def family_named(families: Iterable[OpenCandidate], candidate: str) -> OpenCandidate | None:
    """The family of a candidate: that with its name, or with the longest name that its own begins with."""
    found = [one for one in families if is_variant(candidate, one.name)]
    return max(found, key=lambda one: len(one.name), default=None)


def is_variant(candidate: str, family: str) -> bool:
    """Whether a candidate's name says that it is of a family: `realmlp_slow` is of `realmlp`."""
    return candidate == family or candidate.startswith(f"{family}_")


def value_at(candidate: Candidate, path: str) -> Any:
    """What a candidate has at a path, be it a component's default; `ABSENT` where it has no such path."""
    section, _, rest = path.partition(".")
    if section == TRAINING:
        is_setting = rest == SMALL or rest in {one.name for one in dataclasses.fields(Settings)}
        return _setting(candidate, rest) if is_setting and candidate.solver is None else ABSENT
    value: Any = _sections(candidate)
    for step in path.split("."):
        below = dict(children(value))
        if isinstance(value, Part) and step not in below:
            below[step] = _default(value, step)
        value = below.get(step, ABSENT)
        if value is ABSENT:
            return ABSENT
    return value


def with_values(candidate: Candidate, values: Values) -> Candidate:
    """A candidate with other values at paths that it has.

    Of mixup and CutMix the one that is set ends the other.

    Raises:
        ConfigError: If a component or the training doesn't take a value.
    """
    settings = {
        path.removeprefix(f"{TRAINING}."): value
        for path, value in values.items()
        if path.startswith(f"{TRAINING}.")
    }
    if SMALL in settings:
        share = settings.pop(SMALL)
        candidate = replace(candidate, small=Small(share) if share else None)
    if settings.get("cutmix"):
        settings["mixup"] = 0.0
    elif settings.get("mixup"):
        settings["cutmix"] = 0.0
    candidate = replace(candidate, settings=replace(candidate.settings, **settings))
    for path, value in values.items():
        if not path.startswith(f"{TRAINING}."):
            candidate = _placed(candidate, path.split("."), value)
    return candidate


def content_of(candidate: Candidate) -> tuple[object, ...]:
    """What makes two candidates the same, whatever they are called and however much time they have."""
    settings = repr(candidate.settings), repr(candidate.small), repr(candidate.solver)
    return (repr(candidate.architecture), *settings, candidate.frozen, candidate.begin is not None)


def paths_of(candidate: Candidate) -> list[str]:
    """Every path of a candidate whose value is a number, a text or a part, also a component's default."""
    found = [path for section, value in _sections(candidate).items() for path in _paths(value, section)]
    if candidate.solver is None:
        found += [f"{TRAINING}.{one.name}" for one in dataclasses.fields(Settings)]
    return found


def components_of(value: Any) -> set[str]:
    """The names of all components in a candidate, an architecture or a part, those of options included."""
    match value:
        case Candidate():
            return components_of(value.architecture) | components_of(value.solver)
        case Architecture():
            return components_of(value.to_parts())
        case Choice(options):
            return set().union(*map(components_of, options))
        case Part():
            inner = set().union(*map(components_of, value.metaparameters.values()))
            return {value.name, *inner}
        case Mapping():
            return set().union(*map(components_of, value.values()))
        case tuple():
            return set().union(*map(components_of, value))
    return set()


def usually_open(candidate: Candidate, *, times: float = 4.0) -> OpenCandidate:
    """A candidate as a family: rate and decay of its training are open, nothing where a solver fits it.

    Args:
        candidate: Without openings.
        times: The rate lies between so many times as small and as large as the candidate's.
    """
    if candidate.solver is not None or candidate.frozen or candidate.begin is not None:
        return OpenCandidate(candidate)
    rate = candidate.settings.learning_rate
    return OpenCandidate(
        candidate,
        {
            "learning_rate": Between(rate / times, rate * times, log=True),
            "weight_decay": Choice(tuple(sorted({0.0, 3e-4, 3e-2, candidate.settings.weight_decay}))),
        },
    )


def largest(family: OpenCandidate) -> Candidate:
    """The candidate with the highest number, or the last option, wherever the family is open."""

    def choose(_path: str, opening: Open) -> Any:
        if isinstance(opening, Between):
            return opening.high
        numbers = [one for one in opening.options if isinstance(one, (int, float))]
        return max(numbers) if len(numbers) == len(opening.options) else opening.options[-1]

    return family.closed(choose, family.name)


def no_such_path(path: str, known: Iterable[str], received: str) -> ConfigError:
    """The error that nothing to be tried has a path."""
    return ConfigError(
        f"Nothing that may be tried has the path {path[:100]!r}.",
        received=received[:300],
        remedy=f"`composable space DATA --target COLUMN` shows those there are{nearest(path, known)}",
    )


def _sections(candidate: Candidate) -> dict[str, Any]:
    """The parts of its architecture, and its solver where there is one."""
    solver = {} if candidate.solver is None else {SOLVER: candidate.solver}
    return {**candidate.architecture.to_parts(), **solver}


def _setting(candidate: Candidate, name: str) -> Any:
    if name == SMALL:
        return candidate.small.share if candidate.small else 0.0
    return getattr(candidate.settings, name)


def _default(part: Part, name: str) -> Any:
    """The default of a metaparameter that a part leaves out."""
    if name not in names(part.component):
        return ABSENT
    parameter = inspect.signature(part.component).parameters.get(name)
    return ABSENT if parameter is None or parameter.default is parameter.empty else parameter.default


def _placed(candidate: Candidate, steps: list[str], value: Any) -> Candidate:
    if steps[0] == SOLVER and candidate.solver is not None:
        return replace(candidate, solver=_changed(candidate.solver, steps[1:], value))
    parts = candidate.architecture.to_parts()
    return replace(candidate, architecture=candidate.architecture.with_parts(_changed(parts, steps, value)))


def _changed(value: Any, steps: list[str], new: Any) -> Any:
    if not steps:
        return new
    below = dict(children(value))
    return rebuilt(value, {**below, steps[0]: _changed(below.get(steps[0]), steps[1:], new)})


def _open_places(value: Any, path: str) -> Iterator[tuple[str, Open]]:
    if isinstance(value, Open):
        yield path, value
        return
    for name, child in children(value):
        yield from _open_places(child, joined(path, name))


def _shared(family: OpenCandidate, path: str) -> bool:
    """Whether a path is the name that places share."""
    return family.places.get(path, (path,)) != (path,)


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Part):
        below = {name: _default(value, name) for name in names(value.component)} | dict(children(value))
        yield path
    else:
        below = dict(children(value))
        if not below and value is not None and value is not ABSENT and not isinstance(value, Open):
            yield path
    for name, child in below.items():
        if child is not ABSENT:
            yield from _paths(child, joined(path, name))
