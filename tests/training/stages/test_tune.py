"""Learning rate, then batch size, then a finer rate."""

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.training.stages.tune import Trials, tune
from tests.training.stages.small_jobs import fresh, job

RATES = (1e-5, 0.02)


@pytest.fixture(scope="module")
def outcome():
    """Of a grid that holds a rate that hardly moves."""
    return tune(
        job(),
        fresh(job()),
        deadline=Deadline(),
        rates=RATES,
        largest_batch=32,
        finer=(0.5, 1.0),
        epochs=2,
        scored_for=1,
        seeds=2,
    )


def trials_of(outcome, **wanted):
    return [
        trial
        for trial in outcome.evidence["trials"]
        if all(trial[name] == value for name, value in wanted.items())
    ]


def test_it_passes_on_the_settings_of_the_best_trial_and_no_weights(outcome):
    best = min(
        trials_of(outcome, batch_size=outcome.evidence["batch_size"]), key=lambda trial: trial["measure"]
    )
    assert outcome.progress.settings.learning_rate == best["learning_rate"]
    assert outcome.progress.settings.batch_size == best["batch_size"]
    assert outcome.progress.weights is None


def test_the_whole_grid_and_the_rate_of_the_settings_are_tried(outcome):
    assert {*RATES, job().settings.learning_rate} <= {
        trial["learning_rate"] for trial in trials_of(outcome, batch_size=16)
    }


def test_the_first_batch_size_is_scored_and_the_next_is_twice_it(outcome):
    assert {trial["batch_size"] for trial in outcome.evidence["trials"]} == {16, 32}


def test_finer_rates_are_tried_with_the_best_batch_size(outcome):
    batch = outcome.evidence["batch_size"]
    coarse = min(
        (trial for trial in trials_of(outcome, batch_size=16) if trial["learning_rate"] in (*RATES, 0.01)),
        key=lambda trial: trial["measure"],
    )
    assert trials_of(outcome, batch_size=batch, learning_rate=0.5 * coarse["learning_rate"])


def test_no_trial_is_repeated(outcome):
    keys = [(trial["learning_rate"], trial["batch_size"]) for trial in outcome.evidence["trials"]]
    assert len(set(keys)) == len(keys)


def test_it_never_looks_at_rows_that_are_neither_learned_from_nor_held_out():
    """The targets of the other rows are no numbers: a trial that met one would have no measure."""
    rows = job().rows
    targets = rows.targets[0].copy()
    targets[50:] = np.inf
    of = job(rows=type(rows)(rows.inputs, (targets,)), held_out=np.arange(40, 50))
    trials = Trials(of, job().build().get_weights(), 1, of.held_out, Deadline())
    trials.rates(of.settings, (0.01,))
    assert trials.measured


def test_doubling_stops_when_a_batch_size_is_worse():
    trials = Trials(job(), (), 1, job().held_out, Deadline())
    measures = {16: 0.5, 32: 0.4, 64: 0.45, 128: 0.1}
    trials._try = lambda settings: trials.done.extend(
        (one.learning_rate, one.batch_size, measures[one.batch_size]) for one in settings
    )
    trials._try([job().settings])
    big = job(train=np.tile(np.arange(40), 10))
    trials.job = big
    assert trials.batches(job().settings, 1024).batch_size == 32
    assert [batch for _, batch, _ in trials.done] == [16, 32, 64]
