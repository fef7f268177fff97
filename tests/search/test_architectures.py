"""The sampler over architectures, on spaces whose scores are known."""

import math

import numpy as np
import pytest
from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.tasks import classifier
from composable.engine.settings import Settings
from composable.search.architectures import Untrained, by_surrogate
from composable.search.sampling import SAMPLERS, Tried, drawn
from composable.search.space import OpenCandidate
from composable.search.untrained import CostLimits, known_untrained
from composable.training.candidate import Candidate


@component
def plain(x, *, units):
    return layers.Dense(units)(x)


WIDTHS = (1, 2, 4, 8)
SPACE = Architecture(
    learner=(
        Choice(
            (Part(plain, units=Choice(WIDTHS)), (Part(plain, units=3), Part(plain, units=Choice(WIDTHS))))
        ),
        *(Part(plain, units=Choice(WIDTHS)) for _ in range(4)),
    ),
    tasks=Part(classifier, classes=2),
)
FAMILY = OpenCandidate(
    Candidate("own", SPACE, Settings(learning_rate=1e-3)), {"learning_rate": Between(1e-4, 1e-2, log=True)}
)


def loss(values):
    """Best with the widest blocks but for the second, which is best narrow, and a rate of 0.003."""
    widths = [WIDTHS.index(value) for path, value in values.items() if path.endswith("units")]
    rate = abs(math.log(values["training.learning_rate"] / 3e-3))
    return widths[1] - widths[2] - widths[3] - widths[-1] + rate


def searched(sampler, seed, count=24):
    history = []
    for number in range(count):
        values = sampler(FAMILY, history, 1000 * seed + number)
        history.append(Tried(values, loss(values)))
    return history


def test_it_finds_better_ones_than_draws_do():
    ours, random = (
        [min(one.loss for one in searched(sampler, seed)) for seed in range(4)]
        for sampler in (SAMPLERS["architecture"], drawn)
    )
    assert np.mean(ours) < np.mean(random) - 0.5


def test_the_same_history_and_seed_bring_the_same_values():
    history = searched(drawn, 0, 6)
    ask = SAMPLERS["architecture"]
    assert ask(FAMILY, history, 3) == ask(FAMILY, history, 3)
    assert FAMILY.closed(lambda path, _: ask(FAMILY, history, 3)[path], "one")


def test_what_was_tried_outside_the_space_or_failed_is_left_out():
    history = [Tried({"learner.1.units": 77}, 0.1), Tried({}, math.nan), *searched(drawn, 0, 4)]
    assert SAMPLERS["architecture"](FAMILY, history, 0)


def test_too_large_ones_are_never_tried():
    limits = known_untrained((5,), None, limits=CostLimits(parameters=60), seed=0)
    history = []
    for number in range(8):
        values = by_surrogate(FAMILY, history, number, limits)
        architecture = FAMILY.closed(lambda path, _, values=values: values[path], "one").architecture
        assert limits.excess(architecture) <= 1
        history.append((values, loss(values)))


@pytest.mark.parametrize("best", [WIDTHS[0], WIDTHS[-1]])
def test_the_first_ones_are_the_most_promising(best):
    def promise(architecture):
        return (float(architecture.learner[4].metaparameters["units"] == best),)

    found = [by_surrogate(FAMILY, [], seed, Untrained(promise=promise)) for seed in range(6)]
    assert sum(values["learner.4.units"] == best for values in found) >= 5


def test_rows_make_scores_and_sizes_are_measures():
    rows = np.random.default_rng(0).normal(size=(8, 5))
    known = known_untrained((5,), rows, limits=CostLimits(), seed=0)
    one = FAMILY.closed(lambda _, opening: opening.draw(np.random.default_rng(0)), "one").architecture
    multiply_adds, parameters = known.measure(one)
    assert 0 < multiply_adds < parameters
    assert np.isfinite(known.promise(one)).all()
