"""Samplers: which values a family is tried with next, by what was tried before.

Each is a function of the family, its history and a seed, and of nothing else: no sampler has a state that
would have to be stored, and the same history brings the same values whichever process asks.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from composable.core.packages import optional
from composable.design.choice import Choice, Open
from composable.design.config import to_config
from composable.search.architectures import UNKNOWN, Untrained, by_surrogate
from composable.search.space import SOLVER, TRAINING, OpenCandidate

_STARTUP = 6  # trials of a family before its density is estimated
_POINTS = 5  # of a range, on a grid
_TOURNAMENT, _POPULATION = 3, 12  # of evolution
_MISSES = 3  # in a row, after which narrowing goes back to the full space
_RATES, _BATCH = (f"{TRAINING}.learning_rate", f"{SOLVER}.learning_rate"), f"{TRAINING}.batch_size"
_BATCHES = (8, 4096)  # rows


@dataclass(frozen=True)
class Tried:
    """What became of a candidate of a family.

    Attributes:
        values: By path, as `OpenCandidate.values_of` gives them.
        loss: The score, the lower the better; NaN where it is not known or there is none.
        running: Whether it isn't known yet.
    """

    values: Mapping[str, Any]
    loss: float = math.nan
    running: bool = False


Sampler = Callable[[OpenCandidate, Sequence[Tried], int], dict[str, Any]]


def drawn(family: OpenCandidate, _history: Sequence[Tried], seed: int) -> dict[str, Any]:
    """Random search (Bergstra & Bengio 2012): every opening closed at random."""
    random = np.random.default_rng(seed)
    return _chosen(family, lambda _path, opening: opening.draw(random))


def on_grid(family: OpenCandidate, history: Sequence[Tried], seed: int) -> dict[str, Any]:
    """The next point of a grid in a random order; ranges have five points, the ends included.

    What is open inside an option is drawn at random.
    """
    points = {path: _points(opening) for path, opening in family.openings.items() if "[" not in path}
    sizes = [len(each) for each in points.values()]
    random = np.random.default_rng(seed)
    taken = {_key(one.values, points) for one in history}
    found: dict[str, Any] = {}
    for _ in range(min(math.prod(sizes), 200)):
        found = {path: each[int(random.integers(len(each)))] for path, each in points.items()}
        if _key(found, points) not in taken:
            break
    return _chosen(family, lambda path, opening: found[path] if path in found else opening.draw(random))


def evolved(family: OpenCandidate, history: Sequence[Tried], seed: int) -> dict[str, Any]:
    """Regularized evolution (Real et al. 2019): the best of a few recent ones, one decision made anew."""
    random = np.random.default_rng(seed)
    known = [one for one in history if not math.isnan(one.loss)][-_POPULATION:]
    if len(known) < 2:
        return drawn(family, history, seed)
    some = random.choice(len(known), size=min(_TOURNAMENT, len(known)), replace=False)
    parent = min((known[int(number)] for number in some), key=lambda one: one.loss).values
    changeable = sorted(path for path in parent if path in family.openings)
    changed = changeable[int(random.integers(len(changeable)))] if changeable else ""

    def choose(path: str, opening: Open) -> Any:
        value = parent.get(path)
        if path == changed or not opening.admits(value):
            others = opening.others(value) if isinstance(opening, Choice) else ()
            return others[int(random.integers(len(others)))] if others else opening.draw(random)
        return value

    return _chosen(family, choose)


def narrowed(family: OpenCandidate, history: Sequence[Tried], seed: int) -> dict[str, Any]:
    """The seed's beam: half and double the rate and the batch of the best; after misses, the full space.

    Every neighbor is tried once. After three in a row that are no better than the best, and where no neighbor
    is left, the next one is drawn from the full space.
    """
    known = [one for one in history if not math.isnan(one.loss)]
    if not known:
        return drawn(family, history, seed)
    best = min(known, key=lambda one: one.loss)
    since = len(known) - 1 - known.index(best)
    taken = [_step(one.values) for one in history]
    if since % (_MISSES + 1) < _MISSES:
        for neighbor in _neighbors(family, best.values):
            if _step(neighbor) not in taken:
                return _chosen(family, _as(neighbor, seed)) | {
                    path: value for path, value in neighbor.items() if path == _BATCH
                }
    return drawn(family, history, seed)


def _step(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Where the beam stands: rate and batch."""
    return tuple(values.get(path) for path in (*_RATES, _BATCH))


def _neighbors(family: OpenCandidate, best: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The best with half and twice its rate, where that is open, and its batch, where there are batches."""
    found = []
    rate = next((path for path in _RATES if path in family.openings), None)
    if rate is not None and rate in best:
        near = [{**best, rate: factor * best[rate]} for factor in (0.5, 2.0)]
        found += [one for one in near if family.openings[rate].admits(one[rate])]
    if family.usual.solver is None:
        opening, batch = family.openings.get(_BATCH), best.get(_BATCH, family.usual.settings.batch_size)
        for rows in (max(1, batch // 2), 2 * batch):
            if opening.admits(rows) if opening else _BATCHES[0] <= rows <= _BATCHES[1]:
                found.append({**best, _BATCH: rows})
    return found


def _as(values: Mapping[str, Any], seed: int) -> Callable[[str, Open], Any]:
    random = np.random.default_rng(seed)
    return lambda path, opening: (
        values[path] if path in values and opening.admits(values[path]) else opening.draw(random)
    )


def by_optuna(family: OpenCandidate, history: Sequence[Tried], seed: int, *, name: str) -> dict[str, Any]:
    """Model-based suggestions: a study in memory is told the history, then asked.

    TPE (Bergstra et al. 2011; Watanabe 2023) takes running trials for bad ones, which spreads those of a
    batch (constant liar); GP is a Gaussian process with expected improvement, and needs PyTorch.

    Args:
        family: To suggest from.
        history: Of the family.
        seed: Of the sampler.
        name: tpe or gp.

    Raises:
        SetupError: If the sampler needs a package that isn't there.
    """
    import optuna

    samplers = optuna.samplers
    with quiet():
        if name == "gp":
            optional("torch", extra="torch")
            sampler: Any = samplers.GPSampler(seed=seed, n_startup_trials=_STARTUP)
        else:
            sampler = samplers.TPESampler(
                seed=seed, n_startup_trials=_STARTUP, multivariate=True, constant_liar=True
            )
        study = optuna.create_study(sampler=sampler)
        for one in history:
            if (trial := _told(family, one)) is not None:
                study.add_trial(trial)
        asked = study.ask()
        return _chosen(family, lambda path, opening: _suggested(asked, path, opening))


def by_architecture(
    family: OpenCandidate, history: Sequence[Tried], seed: int, *, untrained: Untrained = UNKNOWN
) -> dict[str, Any]:
    """Bayesian optimization over architectures: a Gaussian process, with mutants of the best as candidates.

    White et al. 2021, arXiv:1910.11858; see `composable.search.architectures`.
    """
    return by_surrogate(family, [(one.values, one.loss) for one in history], seed, untrained)


SAMPLERS: Mapping[str, Sampler] = {
    "tpe": partial(by_optuna, name="tpe"),
    "random": drawn,
    "grid": on_grid,
    "evolutionary": evolved,
    "gp": partial(by_optuna, name="gp"),
    "narrowing": narrowed,
    "architecture": by_architecture,
}


def check_sampler(name: str | None) -> None:
    """Refuse a sampler whose packages are missing, before anything is trained.

    Raises:
        SetupError: Naming the command that installs them.
    """
    if name == "gp":
        optional("torch", extra="torch")


def distribution(opening: Open) -> Any:
    """What Optuna calls a distribution; a choice is one of labels."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(opening, Choice):
        return CategoricalDistribution([label(option) for option in opening.options])
    if opening.is_integer:
        return IntDistribution(int(opening.low), int(opening.high), log=opening.log)
    return FloatDistribution(float(opening.low), float(opening.high), log=opening.log)


def label(value: Any) -> Any:
    """A value as Optuna stores it: a number or a text as it is, anything else as JSON."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return json.dumps(to_config(value), sort_keys=True)


def _suggested(asked: Any, path: str, opening: Open) -> Any:
    if isinstance(opening, Choice):
        labels = [label(option) for option in opening.options]
        number = [_exact(one) for one in labels].index(_exact(asked.suggest_categorical(path, labels)))
        return opening.options[number]
    if opening.is_integer:
        return asked.suggest_int(path, int(opening.low), int(opening.high), log=opening.log)
    return asked.suggest_float(path, float(opening.low), float(opening.high), log=opening.log)


def _told(family: OpenCandidate, one: Tried) -> Any:
    """A trial of the history for Optuna; None where nothing is learned from it."""
    from optuna.trial import TrialState, create_trial

    openings = family.openings
    values = {path: value for path, value in one.values.items() if path in openings}
    if not all(openings[path].admits(value) for path, value in values.items()):
        return None  # from what was open before
    if math.isnan(one.loss) and not one.running:
        return None
    return create_trial(
        state=TrialState.RUNNING if one.running else TrialState.COMPLETE,
        params={path: label(value) for path, value in values.items()},
        distributions={path: distribution(openings[path]) for path in values},
        value=None if one.running else one.loss,
    )


def _chosen(family: OpenCandidate, choose: Callable[[str, Open], Any]) -> dict[str, Any]:
    """What `choose` decides at every opening that is met."""
    values: dict[str, Any] = {}

    def noted(path: str, opening: Open) -> Any:
        values[path] = choose(path, opening)
        return values[path]

    family.closed(noted, family.name)
    return values


def _points(opening: Open) -> tuple[Any, ...]:
    if isinstance(opening, Choice):
        return opening.options
    low, high = opening.low, opening.high
    steps = np.geomspace(low, high, _POINTS) if opening.log else np.linspace(low, high, _POINTS)
    inner = [round(float(one)) if opening.is_integer else float(one) for one in steps[1:-1]]
    return tuple(dict.fromkeys((low, *inner, high)))


def _key(values: Mapping[str, Any], points: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(repr(values.get(path)) for path in points)


def _exact(value: Any) -> tuple[type, Any]:
    return type(value), value


@contextmanager
def quiet() -> Iterator[None]:
    """Without Optuna's log lines and its warnings that something is experimental."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
