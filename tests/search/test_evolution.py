"""Searches over small spaces whose scores are known."""

import math

import numpy as np
import pytest
from keras import layers

from composable.core.errors import ConfigError
from composable.design import Architecture, Between, Choice, Part, component
from composable.design.tasks import classifier
from composable.search.evolution import aged, ask, begin, position, renewed, taken, tell


@component
def dense(x, *, units):
    return layers.Dense(units)(x)


def space() -> Architecture:
    """Six widths of three each: 729 networks."""
    return Architecture(
        learner=(Part(dense, units=Choice((1, 2, 4))),) * 6, tasks=Part(classifier, classes=2)
    )


def units(architecture):
    return [part.metaparameters["units"] for part in architecture.learner]


def score(architecture):
    """Best with one in the first place and four in the others."""
    return sum(one if number else -one for number, one in enumerate(units(architecture)))


def size(architecture):
    return (float(sum(units(architecture))),)


def searched(seed, most, next_one):
    state, found = begin(space(), size, draws=40, seed=seed), []
    while len(found) < most:
        state, draft = next_one(state)
        found.append(score(draft.architecture))
        state = tell(taken(state, draft), draft, found[-1])
    return state, found


def guided(state):
    state = renewed(state, size)
    return state, ask(state)


def evolved(state):
    return aged(state, size)


def drawn(state):
    return state, state.waiting[0]


def test_both_searches_find_better_ones_than_draws_do():
    best = {way: [max(searched(seed, 30, way)[1]) for seed in range(3)] for way in (guided, evolved, drawn)}
    assert np.mean(best[guided]) > np.mean(best[evolved]) > np.mean(best[drawn])
    assert max(best[guided]) == 19  # one in the first place, four in all others


def test_nothing_is_asked_for_twice_and_the_same_seed_asks_the_same():
    state, found = searched(3, 20, guided)
    assert len(set(state.asked)) == 20
    assert searched(3, 20, guided)[1] == found


def test_the_first_ones_promise_most_and_differ():
    state = begin(space(), size, draws=40, seed=0)
    first = ask(state)
    assert first is not None
    assert first.measures == max(draft.measures for draft in state.drafts.values())
    second = ask(taken(state, first))
    assert second is not None
    assert np.sum((first.position - second.position) ** 2) > 0.25


def test_what_is_not_wanted_is_never_a_draft():
    small = begin(space(), lambda one: size(one) if size(one)[0] <= 12 else None, draws=20, seed=0)
    assert all(draft.measures[0] <= 12 for draft in small.drafts.values())
    with pytest.raises(ConfigError, match="within its limits"):
        begin(space(), lambda _: None, draws=5, seed=0)


def test_failed_trainings_are_left_behind():
    state = begin(space(), size, draws=10, seed=0)
    for _ in range(4):
        draft = ask(state)
        assert draft is not None
        state = tell(taken(state, draft), draft, math.nan)
    assert not state.trained
    assert ask(state) is not None
    assert renewed(state, size) is state


def test_a_space_that_is_used_up_has_nothing_more():
    one = Architecture(learner=Part(dense, units=Choice((1, 2))), tasks=Part(classifier, classes=2))
    state = begin(one, size_of_all, draws=10, seed=0)
    assert len(state.drafts) == 2
    for _ in range(2):
        draft = ask(state)
        assert draft is not None
        state = tell(taken(state, draft), draft, 1.0)
    assert ask(renewed(state, size_of_all)) is None


def size_of_all(_):
    return (1.0,)


def test_decisions_lie_at_a_distance_of_one():
    openings = {
        "kind": Choice(("a", "b", "c")),
        "width": Choice((16, 32, 64)),
        "rate": Between(0.01, 1.0, log=True),
        "inside": Choice((3, 5)),
    }
    one = position(openings, {"kind": "a", "width": 16, "rate": 0.01, "inside": 3})
    for change in ({"kind": "b"}, {"width": 64}, {"rate": 1.0}, {"inside": 5}):
        made = {"kind": "a", "width": 16, "rate": 0.01, "inside": 3, **change}
        assert np.sum((position(openings, made) - one) ** 2) == pytest.approx(1.0)
    half = position(openings, {"kind": "a", "width": 32, "rate": 0.1})
    assert np.sum((half - one) ** 2) == pytest.approx(0.75)
