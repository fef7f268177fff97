"""A training as plain data does the same wherever it is done."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import keras
import numpy as np
import pytest

from composable.core.errors import ArtifactError, ConfigError
from composable.data.split import Fold
from composable.design import Part, component
from composable.engine.augmentations import flip
from composable.engine.averaging import EMA
from composable.engine.optimizer import Optimizer
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.modality.trees import GRADIENT_BOOSTING, trees
from composable.problem.kinds import kind_of
from composable.problem.problem import Head, Problem
from composable.training import executor as executors
from composable.training import recipes
from composable.training.candidate import REFIT, Baseline, Candidate, Material, Small, from_plain, to_plain
from composable.training.dataset import Dataset, load_dataset, save_dataset
from composable.training.executor import InProcess, LocalProcesses
from composable.training.folds import FoldTrainer
from composable.training.job import Job, identity_of, load_job, save_job
from composable.training.kernel_ridge import kernel_ridge
from composable.training.stages.draw import draw
from composable.training.storage import load_weights
from composable.training.trainers import Trainers
from composable.zoo.mlp import linear

HEAD = Head("y", "regression", ("y",))
ROWS = 90
needs_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="others compile nothing ahead")


def candidate(**changes):
    settings = Settings(learning_rate=0.05, batch_size=8, epochs=3, patience=None)
    found = Candidate("linear", linear(tasks=(kind_of(HEAD).task(HEAD),)), settings)
    return replace(found, **changes)


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    inputs = {"numbers": rng.normal(size=(ROWS, 4)).astype("float32")}
    y = inputs["numbers"] @ np.ones((4, 1)) + 0.1 * rng.normal(size=(ROWS, 1))
    material = Material(Problem((HEAD,), "rmse"), inputs, (y,), ())
    parts = np.arange(80).reshape(4, -1)
    folds = tuple(
        Fold(np.setdiff1d(np.arange(80), parts[number]), parts[number], np.arange(80, 90))
        for number in range(4)
    )
    return Dataset(material, folds)


@component
def takes_for_ever(_problem):
    """How long a baseline takes that nobody can wait for."""
    return 1e9


@component
def must_not_begin(_problem):
    """Fail."""
    raise AssertionError("it was begun")


def silent(_job, _event, _facts):
    """Nobody listens."""


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"settings": recipes.realmlp(Problem((HEAD,), "rmse"))},
        {"settings": Settings(averaging=EMA(0.9), augment=(Part(flip),), optimizer=Optimizer(clip=0.5))},
        {"solver": Part(kernel_ridge, rows=20, categories=())},
        {"small": Small(0.3), "frozen": (1, 2), "share": 0.5},
    ],
)
def test_a_candidate_is_what_it_was_after_json(changes):
    found = candidate(**changes)
    assert from_plain(to_plain(found)) == found


def test_what_has_no_name_stays_in_one_process():
    with pytest.raises(ConfigError, match="registered"):
        to_plain(candidate(settings=Settings(optimizer=lambda model, **_: model)))


def test_a_job_is_what_it_was_after_its_file(tmp_path):
    begin = (np.ones((2, 3), "float32"), np.zeros(3))
    job = Job(candidate(begin=begin), (0, 2), 7, 12.5, tmp_path, (Part(draw, draws=2),))
    found = load_job(save_job(job))
    assert (found.folds, found.seed, found.seconds, found.stages) == ((0, 2), 7, 12.5, job.stages)
    assert found.candidate == job.candidate
    assert [array.tolist() for array in found.candidate.begin] == [array.tolist() for array in begin]
    assert found.identity == job.identity


def test_a_damaged_job_is_named(tmp_path):
    path = save_job(Job(candidate(), (0,), 0, 1.0, tmp_path))
    path.write_text(path.read_text().replace("composable.job/1", "composable.job/9"))
    with pytest.raises(ArtifactError, match=r"job\.json"):
        load_job(path)


def test_what_is_tried_tells_trials_apart_and_not_how_much_time_there_is():
    usual = identity_of(candidate(), 0)
    assert usual == identity_of(candidate(share=0.3), 0)
    assert usual != identity_of(candidate(), 1)
    assert usual != identity_of(candidate(), 0, (Part(draw),))
    assert usual != identity_of(candidate(settings=Settings(epochs=4)), 0)
    assert usual != identity_of(candidate(begin=(np.ones(3),)), 0)


def test_rows_are_what_they_were_after_their_folder(tmp_path, dataset):
    save_dataset(dataset, tmp_path)
    found = load_dataset(tmp_path)
    assert found.material.problem == dataset.material.problem
    np.testing.assert_array_equal(found.material.inputs["numbers"], dataset.material.inputs["numbers"])
    np.testing.assert_array_equal(found.folds[2].train, dataset.folds[2].train)
    (tmp_path / "target-0.npy").write_bytes(b"")
    with pytest.raises(ArtifactError):
        load_dataset(tmp_path)


def test_one_process_or_two_come_to_the_same(tmp_path, dataset):
    events = []
    here = InProcess(
        Trainers(dataset), lambda job, event, facts: events.append((event, facts["fold"], facts["epoch"]))
    )
    job = Job(candidate(), (0, 1), 3, 60.0, tmp_path / "here")
    here.submit(job)
    mine = here.poll()
    there = LocalProcesses(dataset, silent, tmp_path / "rows", workers=2, most_bytes=1e12)
    jobs = [
        replace(job, folder=tmp_path / "there"),
        replace(job, candidate=candidate(name="b"), folder=tmp_path / "b"),
    ]
    for one in jobs:
        there.submit(one)
    found = {fitted.job.candidate.name: fitted for fitted in (there.poll(), there.poll())}
    assert not mine.failure
    assert [one.failure for one in found.values()] == ["", ""]
    assert {("epoch", fold, epoch) for fold in (0, 1) for epoch in range(3)} == set(events)
    for a, b in zip(mine.networks, found["linear"].networks, strict=True):
        np.testing.assert_allclose(a.held_out[0], b.held_out[0], rtol=1e-5)
        assert a.history.best_epoch == b.history.best_epoch


def test_a_job_that_was_done_is_not_done_again(tmp_path, dataset):
    epochs = []
    here = InProcess(Trainers(dataset), lambda _job, event, _facts: epochs.append(event))
    for _ in range(2):
        here.submit(Job(candidate(), (0, 1), 3, 60.0, tmp_path))
        fitted = here.poll()
    assert len(epochs) == 2 * 3
    assert [one.fold for one in fitted.networks] == [0, 1]


def test_a_kill_between_the_files_of_closed_form_fits_changes_nothing(tmp_path, dataset):
    """The folds choose for each other, so that those which are missing can't be fitted by themselves."""
    here = InProcess(Trainers(dataset), silent)
    job = Job(
        trees(DataFacts(dataset.material.problem, ROWS, {"numbers": 4}, ()))[0],
        (0, 1, 2),
        3,
        np.inf,
        tmp_path,
    )
    here.submit(job)
    whole = here.poll()
    weights = [load_weights(tmp_path, fold) for fold in job.folds]
    (tmp_path / "fold-2.npz").unlink()
    here.submit(job)
    again = here.poll()
    assert len({one.chosen["rounds"] for one in whole.networks}) > 1
    for fold, before, after in zip(job.folds, whole.networks, again.networks, strict=True):
        np.testing.assert_array_equal(before.held_out[0], after.held_out[0])
        for one, other in zip(weights[fold], load_weights(tmp_path, fold), strict=True):
            np.testing.assert_array_equal(one, other)


@needs_jax
@pytest.mark.parametrize("settings", [Settings(batch_size=8, epochs=4, patience=None), Settings(epochs=4)])
def test_what_was_compiled_ahead_learns_the_same_and_once(tmp_path, dataset, settings):
    alone, ahead = InProcess(Trainers(dataset), silent), InProcess(Trainers(dataset), silent)
    job = Job(candidate(settings=settings), (0, 1), 3, 60.0, tmp_path / "alone")
    alone.submit(job)
    alone.poll()
    for number in range(2):
        ahead.prepare(job)
        trainer = ahead.trainers.of(job.candidate)
        assert trainer.is_compiled == (number == 0)
        ahead.submit(replace(job, folder=tmp_path / f"ahead {number}"))
        ahead.poll()
        assert not trainer.is_compiled
        for weights, same in zip(
            load_weights(tmp_path / f"ahead {number}", 1), load_weights(job.folder, 1), strict=True
        ):
            np.testing.assert_array_equal(weights, same)


@needs_jax
def test_what_was_compiled_for_other_folds_is_not_taken(tmp_path, dataset):
    here = InProcess(Trainers(dataset), silent)
    here.prepare(Job(candidate(), (0, 1), 3, 60.0, tmp_path))
    here.submit(Job(candidate(), (2,), 3, 60.0, tmp_path))
    assert [one.fold for one in here.poll().networks] == [2]


@needs_jax
def test_what_can_not_be_compiled_fails_when_it_is_trained(tmp_path, dataset):
    here = InProcess(Trainers(dataset), silent)
    job = Job(candidate(begin=(np.ones((1, 1)),)), (0,), 0, 60.0, tmp_path / "a")
    here.prepare(job)
    here.submit(job)
    here.submit(Job(candidate(), (0,), 0, 60.0, tmp_path / "b"))
    assert here.poll().failure
    assert not here.poll().failure


def test_a_job_that_fails_says_why_and_the_next_one_goes_on(tmp_path, dataset):
    here = InProcess(Trainers(dataset), silent)
    here.submit(
        Job(candidate(settings=Settings(learning_rate=1e30, epochs=2)), (0,), 0, 60.0, tmp_path / "a")
    )
    here.submit(Job(candidate(), (0,), 0, 60.0, tmp_path / "b"))
    assert "stopped being a number" in here.poll().failure
    assert not here.poll().failure


@pytest.mark.parametrize(
    ("bound", "why"), [({"most_bytes": 1e6}, "memory"), ({"most_bytes": 1e12}, "did not end")]
)
def test_a_process_is_killed_at_its_limit(tmp_path, dataset, monkeypatch, bound, why):
    monkeypatch.setattr(executors, "_GRACE", -1000.0 if why == "did not end" else 60.0)
    there = LocalProcesses(dataset, silent, tmp_path / "rows", workers=1, **bound)
    there.submit(Job(candidate(), (0,), 0, 60.0, tmp_path / "a"))
    assert why in there.poll().failure


def test_a_process_that_a_signal_ends_is_tried_once_more(tmp_path, dataset):
    said = []
    there = LocalProcesses(
        dataset,
        lambda _job, event, facts: said.append(facts["text"]) if event == "warning" else None,
        tmp_path / "rows",
        workers=1,
        most_bytes=1e12,
    )
    there.submit(Job(candidate(), (0,), 0, 60.0, tmp_path / "a"))
    there._running[0].process.send_signal(signal.SIGKILL)
    assert not there.poll().failure
    assert len(said) == 1
    assert "ended by SIGKILL" in said[0]


def test_a_process_that_a_signal_ends_each_time_fails_with_its_name_and_the_next_job_goes_on(
    tmp_path, dataset, monkeypatch
):
    there = LocalProcesses(dataset, silent, tmp_path / "rows", workers=1, most_bytes=1e12)
    begin = LocalProcesses._begin

    def doomed(self, job, *arguments, **choices):
        begin(self, job, *arguments, **choices)
        if job.folder.name == "a":
            self._running[-1].process.send_signal(signal.SIGSEGV)

    monkeypatch.setattr(LocalProcesses, "_begin", doomed)
    for name in ("a", "b"):
        there.submit(Job(candidate(), (0,), 0, 60.0, tmp_path / name))
    failures = {fitted.job.folder.name: fitted.failure for fitted in (there.poll(), there.poll())}
    assert "its process was ended by SIGSEGV" in failures["a"]
    assert not failures["b"]


def test_a_process_ends_with_the_one_that_began_it(tmp_path, dataset):
    """Else it would write the files that the next session of a killed run writes."""
    there = LocalProcesses(dataset, silent, tmp_path / "rows", workers=1, most_bytes=1e12)
    there.submit(Job(candidate(settings=Settings(epochs=10**6)), (0,), 0, 60.0, tmp_path / "a"))
    process = there._running[0].process
    while process.poll() is None and there._running[0].events.empty():
        time.sleep(0.05)
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(10) == 1
    there.cancel()


@pytest.mark.parametrize("odd", [ZeroDivisionError("0"), KeyError("a"), AttributeError("b")], ids=repr)
def test_a_component_may_raise_whatever_it_wants(tmp_path, dataset, monkeypatch, odd):
    here = InProcess(Trainers(dataset), silent)

    def broken(*_arguments, **_choices):
        raise odd

    with monkeypatch.context() as broken_for_now:
        broken_for_now.setattr(FoldTrainer, "train", broken)
        here.submit(Job(candidate(), (0,), 0, 60.0, tmp_path / "a"))
        assert type(odd).__name__ in here.poll().failure
    here.submit(Job(candidate(), (0,), 0, 60.0, tmp_path / "b"))
    assert not here.poll().failure


def test_a_refit_learns_from_all_rows_for_as_many_epochs_as_were_best(tmp_path, dataset):
    here = InProcess(Trainers(dataset), silent)
    settings = Settings(learning_rate=0.05, batch_size=8, epochs=20, patience=3)
    job = Job(candidate(settings=settings), (0, 1), 0, 60.0, tmp_path)
    here.submit(job)
    first = here.poll().networks[0]
    for rows, predicted in (("known", 10), ("all", 0)):
        here.submit(replace(job, folder=tmp_path, refit=rows))
        (network,) = here.poll().networks
        assert network.fold == REFIT
        assert len(network.history.epochs) == first.history.best_epoch + 1
        assert sum(map(len, network.test)) == predicted
        (tmp_path / "refit.npz").unlink()


def test_a_baseline_is_a_job_like_a_training_and_comes_to_the_same_in_another_process(tmp_path, dataset):
    here = InProcess(Trainers(dataset), silent)
    job = Job(GRADIENT_BOOSTING, (0, 1), 3, np.inf, tmp_path / "here")
    here.submit(job)
    mine = here.poll()
    there = LocalProcesses(dataset, silent, tmp_path / "rows", workers=1, most_bytes=1e12)
    there.submit(replace(job, folder=tmp_path / "there"))
    other = there.poll()
    assert (mine.failure, mine.skipped, other.failure, other.skipped) == ("",) * 4
    y = dataset.material.targets[0]
    for a, b, fold in zip(mine.networks, other.networks, dataset.folds, strict=False):
        assert a.held_out[0].shape == (20, 1)
        assert a.test[0].shape == (10, 1)
        assert np.corrcoef(a.held_out[0][:, 0], y[fold.held_out][:, 0])[0, 1] > 0.5
        np.testing.assert_array_equal(a.held_out[0], b.held_out[0])


def test_a_baseline_that_takes_too_much_time_is_left_out(tmp_path, dataset):
    here = InProcess(Trainers(dataset), silent)
    slow = Baseline("slow", Part(takes_for_ever), Part(must_not_begin))
    here.submit(Job(slow, (0,), 3, 60.0, tmp_path))
    fitted = here.poll()
    assert (fitted.failure, fitted.networks) == ("", ())
    assert "time" in fitted.skipped


def test_folds_that_a_baseline_has_predicted_are_taken_as_they_are(tmp_path, dataset):
    """In a session that goes on."""
    here = InProcess(Trainers(dataset), silent)
    job = Job(GRADIENT_BOOSTING, (0, 1), 3, np.inf, tmp_path)
    here.submit(job)
    first = here.poll()
    here.submit(replace(job, seconds=0.0))
    again = here.poll()
    assert [one.seconds for one in again.networks] == [one.seconds for one in first.networks]
    np.testing.assert_array_equal(again.networks[1].test[0], first.networks[1].test[0])
