"""One suite over every stage: the same questions to each."""

from dataclasses import replace

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.design.part import Part
from composable.training.stages.draw import drawn
from composable.training.stages.pretrain.masking import masking
from composable.training.stages.run import STAGES, Recipe, run_stages
from composable.training.stages.stage import Outcome, Progress
from tests.training.stages.small_jobs import NO_TIME, dense, job, same

SMALL = {  # so that a stage takes seconds
    "draw": {"draws": 2, "epochs": 1, "scored_for": 1, "seeds": 2},
    "warmup": {"epochs": 1, "scored_for": 1, "seeds": 2},
    "tune": {
        "rates": (0.01,),
        "largest_batch": 16,
        "finer": (0.5,),
        "epochs": 1,
        "scored_for": 1,
        "seeds": 2,
    },
    "pretrain": {"task": Part(masking), "epochs": 1, "seeds": 2, "scored_for": 1},
    "fit": {},
    "finetune": {"parts": 2, "epochs": 1, "seeds": 2},
}
PARTS = {stage.__name__: Part(stage, **SMALL[stage.__name__]) for stage in STAGES}
stages = pytest.mark.parametrize("name", PARTS)
_outcomes = {}


def received(name):
    """What a stage begins with: weights where it needs some."""
    weights = drawn(job(), 1) if name in ("fit", "finetune", "warmup") else None
    return Progress(weights, job().settings)


def run(name, of=None, deadline=None):
    """The stage alone."""
    part = PARTS[name]
    return part.component(of or job(), received(name), deadline=deadline or Deadline(), **part.metaparameters)


def outcome(name):
    """Each stage is run once for all questions about its outcome."""
    if name not in _outcomes:
        _outcomes[name] = run(name)
    return _outcomes[name]


def plain(found):
    return {**vars(found), "progress": None, "seconds": 0}


@stages
def test_it_comes_back_from_json(name):
    recipe = Recipe((PARTS[name],))
    assert Recipe.from_json(recipe.to_json()) == recipe


@stages
def test_its_defaults_come_back_from_json(name):
    recipe = Recipe((Part(PARTS[name].component),))
    assert Recipe.from_json(recipe.to_json()) == recipe


@stages
def test_it_is_done_and_its_gain_is_told(name):
    found = outcome(name)
    assert found.stage == name
    assert found.status == "done", found.reason
    assert np.isfinite(found.gain)
    assert found.spread is None or found.spread >= 0
    assert found.evidence


@stages
def test_what_it_passes_on_fits_the_network(name):
    weights = outcome(name).progress.weights
    if weights is not None:
        dense().set_weights(list(weights))
        assert all(np.isfinite(each).all() for each in weights)


@pytest.mark.slow
@stages
def test_the_same_seed_gives_the_same_outcome(name):
    again = run(name)
    assert plain(again) == plain(outcome(name))
    if again.progress.weights is not None:
        assert same(again.progress.weights, outcome(name).progress.weights)
    assert again.progress.settings == outcome(name).progress.settings


@stages
def test_without_time_it_passes_on_what_it_received(name):
    found = run(name, deadline=NO_TIME)
    assert found.status == "skipped"
    assert found.reason
    assert found.progress.settings == job().settings
    before = received(name).weights
    assert found.progress.weights is before or same(found.progress.weights, before)


@stages
def test_its_outcome_is_saved_and_taken_up_again(name, tmp_path, monkeypatch):
    """What is saved is the outcome from above; the second call must not run the stage."""
    found = replace(outcome(name), seconds=0.0)
    recipe = Recipe((PARTS[name],))
    monkeypatch.setattr("composable.training.stages.run._run", lambda *_: found)
    run_stages(job(), recipe, deadline=Deadline(), folder=tmp_path)
    monkeypatch.setattr("composable.training.stages.run._run", None)
    again = run_stages(job(), recipe, deadline=Deadline(), folder=tmp_path)[0]
    assert plain(again) == plain(found)
    assert again.progress.settings == found.progress.settings
    weights = found.progress.weights
    assert again.progress.weights is weights or same(again.progress.weights, weights)


@pytest.mark.parametrize("name", [name for name in PARTS if name != "fit"])
def test_it_takes_a_share_of_the_time_that_is_left(name, monkeypatch):
    """Nothing is trained here: only the deadlines that the trainings are given are noted."""
    found = []

    def noted(cohort, *, deadline, **_):
        found.append(deadline.seconds)
        raise RuntimeError("enough")

    family = PARTS[name].component.__module__
    where = family if name != "pretrain" else "composable.training.stages.pretrain.pretrain"
    monkeypatch.setattr(f"{where}.train", noted)
    with pytest.raises(RuntimeError, match="enough"):
        run(name, deadline=Deadline(1000.0))
    assert found
    assert max(found) <= 600


@stages
def test_it_can_be_left_out(name):
    recipe = Recipe((PARTS[name],))
    assert run_stages(job(), recipe, deadline=Deadline(), skip={name})[0].status == "skipped"


@stages
def test_a_failure_inside_is_contained(name):
    def unable():
        raise MemoryError("no room for the network")

    found = run_stages(job(build=unable), Recipe((PARTS[name],)), deadline=Deadline())[0]
    if name == "finetune":  # without weights it does nothing, so nothing fails
        assert found.status == "skipped"
    else:
        assert found.status == "failed"
        assert "no room for the network" in found.reason
    assert isinstance(found, Outcome)
    assert found.progress.weights is None
