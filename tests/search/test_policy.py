"""What a search does next depends on nothing but what is known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from composable.search.cost_model import Timing, Work
from composable.search.policy import (
    LEAST_SECONDS,
    MOST_ALIKE,
    State,
    compiles_ahead,
    is_refitted_to_deploy,
    more_folds,
    next_step,
    no_time_to_learn,
)

BEGUN = State(60.0, has_constant=True, has_baseline=True, begun=1)
SEARCHED = replace(BEGUN, candidates_left=False, succeeded=3)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (State(60.0), "constant"),
        (State(60.0, has_constant=True), "candidate"),
        (State(60.0, has_constant=True, baseline_first=True), "baseline"),
        (State(60.0, has_constant=True, begun=1), "baseline"),
        (State(60.0, has_constant=True, begun=1, running=1), "wait"),
        (State(60.0, has_constant=True, begun=1, running=1, workers=2), "baseline"),
        (BEGUN, "candidate"),
        (replace(BEGUN, running=2, workers=2), "wait"),
        (replace(BEGUN, left=0.0), "candidate"),  # the first network must come to be
        (replace(BEGUN, left=0.0, succeeded=1), "ensemble"),
        (replace(BEGUN, succeeded=3, cut_short=True, folds_left=True), "ensemble"),
        (replace(BEGUN, succeeded=3, cut_short=True, folds_left=False), "candidate"),
        (replace(BEGUN, candidates_left=False, running=1), "wait"),
        (replace(BEGUN, candidates_left=False), "end"),  # nothing succeeded
        (replace(BEGUN, alike_failures=MOST_ALIKE - 1), "candidate"),
        (replace(BEGUN, alike_failures=MOST_ALIKE), "end"),
        (replace(BEGUN, alike_failures=MOST_ALIKE, running=1), "wait"),
        (replace(BEGUN, alike_failures=MOST_ALIKE, succeeded=1), "ensemble"),
        (SEARCHED, "ensemble"),
        (replace(SEARCHED, has_ensemble=True), "more_folds"),
        (replace(SEARCHED, has_ensemble=True, has_more_folds=True), "refit"),
        (replace(SEARCHED, has_ensemble=True, has_more_folds=True, has_suggestions=False), "suggestions"),
        (replace(SEARCHED, left=9.0, has_ensemble=True, has_more_folds=True, has_suggestions=False), "refit"),
        (replace(BEGUN, running=1, workers=2, waits=True), "wait"),
        (replace(SEARCHED, has_ensemble=True, has_more_folds=True, has_refit=True), "end"),
    ],
)
def test_the_next_step(state, step):
    assert next_step(state).what == step


def test_a_candidate_leaves_time_for_more_folds_of_the_best_but_for_the_very_first():
    assert next_step(replace(BEGUN, folds_left=True)).seconds == 60.0
    assert next_step(replace(BEGUN, folds_left=True, succeeded=1)).seconds == 30.0
    assert next_step(replace(BEGUN, succeeded=1)).seconds == 60.0


def test_a_baseline_takes_a_small_part_of_the_time_and_smaller_before_the_first_network():
    after, before = (
        State(60.0, has_constant=True, begun=1),
        State(60.0, has_constant=True, baseline_first=True),
    )
    assert 0 < next_step(before).seconds < next_step(after).seconds < 30.0
    assert next_step(replace(after, left=LEAST_SECONDS / 2)).seconds == 0.0


def test_a_candidate_that_could_not_learn_anything_is_not_begun_unless_there_is_no_other_model():
    assert not no_time_to_learn(BEGUN, 1.0, lambda: 100.0)
    trained = replace(BEGUN, succeeded=1)
    assert no_time_to_learn(trained, 1.0, lambda: 0.5)
    assert "100 s" in no_time_to_learn(trained, 60.0, lambda: 100.0)
    assert not no_time_to_learn(trained, 60.0, lambda: 10.0)


def test_nothing_is_compiled_ahead_that_could_hardly_be_trained():
    assert compiles_ahead(BEGUN)
    assert not compiles_ahead(replace(BEGUN, left=LEAST_SECONDS))


def test_every_search_ends():
    """Whatever happens, no more steps are taken than there are candidates and ends."""
    state, steps = State(60.0, workers=2, folds_left=True), []
    while (step := next_step(state).what) != "end":
        steps.append(step)
        state = replace(state, left=max(0.0, state.left - LEAST_SECONDS))
        match step:
            case "constant" | "baseline" | "ensemble" | "more_folds" | "refit":
                state = replace(state, **{f"has_{step}": True})
            case "candidate" if state.begun == 5:
                state = replace(state, candidates_left=False)
            case "candidate":
                state = replace(state, begun=state.begun + 1, running=state.running + 1)
            case "wait":
                state = replace(state, running=state.running - 1, succeeded=state.succeeded + 1)
    assert steps.count("candidate") <= 6
    assert steps[-3:] == ["ensemble", "more_folds", "refit"]


@pytest.mark.parametrize(
    ("patience", "seconds", "waiting", "folds"),
    [
        (None, 85.0, 1, 1),  # a schedule ends a little sooner
        (None, 70.0, 1, 0),
        (None, 250.0, 2, 1),
        (16, 199.0, 1, 0),  # without one nobody knows when it ends
        (16, 200.0, 1, 1),
        (None, 900.0, 1, 3),  # there are no more
    ],
)
def test_further_folds_take_as_long_as_the_first_one(patience, seconds, waiting, folds):
    network = SimpleNamespace(settings=SimpleNamespace(patience=patience))
    trial = SimpleNamespace(network=network, trained=[SimpleNamespace(seconds=100.0)])
    assert more_folds(trial, seconds, waiting=waiting, most=4) == tuple(range(1, 1 + folds))


@pytest.mark.parametrize(
    ("compiling", "epoch", "left", "expected"),
    [
        (3.0, 1.0, 0.0, True),  # eight networks to be compiled take longer than one, and its fit
        (0.1, 8.0, 0.0, False),
        (0.1, 8.0, 5.0, True),
    ],
)
def test_closed_form_fits_of_many_folds_become_one_network_if_that_is_faster_or_fits(
    compiling, epoch, left, expected
):
    trial = SimpleNamespace(network=SimpleNamespace(solver=object()), refit=None, trained=[None] * 8)
    timing = Timing(Work("kernel", 5, 1e6, 0), compiling, epoch)
    assert is_refitted_to_deploy(trial, timing, left) == expected
