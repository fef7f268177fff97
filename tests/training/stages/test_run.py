"""Stages one after another: saved, resumed, dropped, contained."""

from dataclasses import replace

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.errors import ArtifactError, ConfigError
from composable.design.part import Part, component
from composable.engine.schedules import cosine
from composable.training.stages.run import AUTHORS, Recipe, run_stages
from composable.training.stages.stage import Outcome, Progress
from tests.training.stages.small_jobs import NO_TIME, job, same

calls = []


def step(name, progress, **given):
    """One more on every weight; the calls are noted."""
    calls.append(name)
    before = progress.weights or (np.zeros(2, "float32"), np.zeros((), "int64"))
    return Outcome(name, replace(progress, weights=tuple(each + 1 for each in before)), **given)


@component
def first(job, progress, *, deadline):
    return step("first", progress, gain=0.3, spread=0.1, evidence={"curve": [1.0, 0.5]})


@component
def noisy(job, progress, *, deadline):
    return step("noisy", progress, gain=0.1, spread=0.1)


@component
def faster(job, progress, *, deadline, rate: float = 0.5):
    found = step("faster", progress)
    settings = replace(progress.settings, learning_rate=rate, learning_rate_schedule=Part(cosine))
    return replace(found, progress=replace(found.progress, settings=settings))


@component
def broken(job, progress, *, deadline):
    calls.append("broken")
    raise ValueError("no such thing")


@component
def patient(job, progress, *, deadline):
    if deadline.remaining <= 0:
        return Outcome("patient", progress, "skipped", "no time was left for it")
    return step("patient", progress)


@pytest.fixture(autouse=True)
def no_calls():
    """Each test counts its own."""
    calls.clear()


def recipe(*stages):
    return Recipe(tuple(Part(stage) for stage in stages))


def run(*stages, deadline=None, **given):
    return run_stages(job(), recipe(*stages), deadline=deadline or Deadline(), **given)


def test_each_stage_begins_with_what_the_one_before_passes_on():
    outcomes = run(first, faster)
    assert [one.progress.weights[0][0] for one in outcomes] == [1, 2]
    assert outcomes[1].progress.settings.learning_rate == 0.5
    assert all(one.seconds >= 0 for one in outcomes)


def test_a_gain_within_its_noise_is_dropped_with_the_numbers():
    outcomes = run(first, noisy, faster)
    assert [one.status for one in outcomes] == ["done", "dropped", "done"]
    assert "0.1" in outcomes[1].reason
    assert (outcomes[1].gain, outcomes[1].spread) == (0.1, 0.1)
    assert same(outcomes[1].progress.weights, outcomes[0].progress.weights)
    assert outcomes[2].progress.weights[0][0] == 2


def test_a_stage_that_fails_passes_on_what_it_got():
    outcomes = run(first, broken, faster)
    assert [one.status for one in outcomes] == ["done", "failed", "done"]
    assert outcomes[1].reason == "ValueError: no such thing"
    assert same(outcomes[1].progress.weights, outcomes[0].progress.weights)


def test_a_stage_can_be_left_out():
    outcomes = run(first, faster, skip={"first"})
    assert [one.status for one in outcomes] == ["skipped", "done"]
    assert calls == ["faster"]


def test_only_stages_of_the_recipe_can_be_left_out():
    with pytest.raises(ConfigError, match="left out") as refused:
        run(first, skip={"firts"})
    assert "first" in refused.value.remedy


def test_a_second_call_goes_on_after_the_last_whole_stage(tmp_path):
    run(first, noisy, faster, folder=tmp_path)
    stage = tmp_path / "3-faster"
    stage.rename(tmp_path / "elsewhere")
    calls.clear()
    outcomes_seen = []
    again = run(first, noisy, faster, folder=tmp_path, notify=outcomes_seen.append)
    assert calls == ["faster"]
    assert outcomes_seen == list(again)


def test_what_was_saved_comes_back_equal(tmp_path):
    once = run(first, noisy, faster, folder=tmp_path)
    calls.clear()
    again = run(first, noisy, faster, folder=tmp_path)
    assert calls == []
    for one, other in zip(once, again, strict=True):
        assert same(one.progress.weights, other.progress.weights)
        assert [w.dtype for w in one.progress.weights] == [w.dtype for w in other.progress.weights]
        assert one.progress.settings == other.progress.settings
        assert {**vars(one), "progress": None} == {**vars(other), "progress": None}


def test_a_folder_of_another_training_is_refused(tmp_path):
    run(first, folder=tmp_path)
    with pytest.raises(ArtifactError, match="continues only the training"):
        run_stages(job(seed=1), recipe(first), deadline=Deadline(), folder=tmp_path)


def test_later_stages_may_change_in_a_recipe_that_goes_on(tmp_path):
    run(first, folder=tmp_path)
    calls.clear()
    run(first, faster, folder=tmp_path)
    assert calls == ["faster"]


def test_a_stage_left_out_is_another_training_for_those_after_it(tmp_path):
    run(first, faster, folder=tmp_path)
    with pytest.raises(ArtifactError, match="continues only"):
        run(first, faster, folder=tmp_path, skip={"first"})


def test_stages_that_had_no_time_are_tried_again_with_more(tmp_path):
    assert run(first, patient, patient, folder=tmp_path, deadline=NO_TIME)[-1].status == "skipped"
    again = run(first, patient, patient, folder=tmp_path)
    assert [one.status for one in again] == ["done"] * 3
    assert again[-1].progress.weights[0][0] == 3


def test_a_damaged_outcome_is_done_again_and_said(tmp_path):
    run(first, faster, folder=tmp_path)
    (tmp_path / "2-faster" / "arrays.npz").write_bytes(b"other")
    calls.clear()
    warnings_seen = []
    run(first, faster, folder=tmp_path, warn=warnings_seen.append)
    assert calls == ["faster"]
    assert "arrays.npz" in warnings_seen[0]


def test_a_recipe_comes_back_from_json():
    for one in (AUTHORS, Recipe((Part(faster, rate=0.25), Part(first)))):
        assert Recipe.from_json(one.to_json()) == one
        assert Recipe.from_json(one.to_json()).to_json() == one.to_json()


def test_the_authors_order():
    names = [stage.name.partition(".")[2] for stage in AUTHORS.stages]
    assert names == ["draw", "warmup", "tune", "pretrain", "fit"]


@pytest.mark.parametrize(
    "text", ["[]", '{"format": "composable.recipe/9", "stages": []}', "{", '{"stages": []}']
)
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(ArtifactError):
        Recipe.from_json(text)


def test_a_recipe_has_stages():
    for stages in ((), ("fit",)):
        with pytest.raises(ConfigError, match="at least one stage"):
            Recipe(stages)


def test_a_part_refuses_what_its_stage_does_not_take():
    with pytest.raises(ConfigError, match="dropout"):
        Part(first, dropout=0.1)


def test_nothing_is_done_twice_for_progress_that_has_no_weights(tmp_path):
    """None and an empty list of weights are different."""

    @component
    def untouched(job, progress, *, deadline):
        calls.append("untouched")
        return Outcome("untouched", Progress(None, progress.settings))

    run(untouched, folder=tmp_path)
    assert run(untouched, folder=tmp_path)[0].progress.weights is None
    assert calls == ["untouched"]
