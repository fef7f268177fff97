"""What a search does next depends on nothing but what is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from composable.search.policy import LEAST_SECONDS, State, compiles_ahead, next_step, seconds_for_next

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
        (State(60.0, has_constant=True, begun=1, running=1, workers=2), "candidate"),
        (BEGUN, "candidate"),
        (replace(BEGUN, running=2, workers=2), "wait"),
        (replace(BEGUN, left=0.0), "candidate"),  # the first network must come to be
        (replace(BEGUN, left=0.0, succeeded=1), "ensemble"),
        (replace(BEGUN, succeeded=3, cut_short=True, folds_left=True), "ensemble"),
        (replace(BEGUN, succeeded=3, cut_short=True, folds_left=False), "candidate"),
        (replace(BEGUN, candidates_left=False, running=1), "wait"),
        (replace(BEGUN, candidates_left=False), "end"),  # nothing succeeded
        (SEARCHED, "ensemble"),
        (replace(SEARCHED, has_ensemble=True), "more_folds"),
        (replace(SEARCHED, has_ensemble=True, has_more_folds=True), "refit"),
        (replace(SEARCHED, has_ensemble=True, has_more_folds=True, has_refit=True), "end"),
    ],
)
def test_the_next_step(state, step):
    assert next_step(state) == step


def test_a_candidate_leaves_time_for_more_folds_of_the_best_but_for_the_very_first():
    assert seconds_for_next(replace(BEGUN, folds_left=True)) == 60.0
    assert seconds_for_next(replace(BEGUN, folds_left=True, succeeded=1)) == 30.0
    assert seconds_for_next(replace(BEGUN, succeeded=1)) == 60.0


def test_nothing_is_compiled_ahead_that_could_hardly_be_trained():
    assert compiles_ahead(BEGUN)
    assert not compiles_ahead(replace(BEGUN, left=LEAST_SECONDS))


def test_every_search_ends():
    """Whatever happens, no more steps are taken than there are candidates and ends."""
    state, steps = State(60.0, workers=2, folds_left=True), []
    while (step := next_step(state)) != "end":
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
