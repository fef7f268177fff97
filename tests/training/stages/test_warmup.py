"""The rising rate: where it ends, and what happens where it is too high."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design.part import Part
from composable.engine.history import Divergence, Epoch, History
from composable.engine.optimizer import Optimizer
from composable.engine.rules import Rule
from composable.engine.settings import Settings, curves
from composable.training.stages.draw import drawn
from composable.training.stages.stage import Progress
from composable.training.stages.warmup import ramp, ran_away, warmup
from tests.training.stages.small_jobs import fresh, job, same


def line():
    """Three numbers to one."""
    inputs = keras.Input((3,), name="numbers")
    return keras.Model({"numbers": inputs}, [keras.layers.Dense(1)(inputs)])


def history(*losses, diverged=None):
    epochs = tuple(Epoch(number, loss, 1.0, 0.0) for number, loss in enumerate(losses))
    return History(epochs, 0, "epochs", diverged)


def test_the_rate_ends_on_exactly_the_end_rate():
    for end in (1e-3, 0.3, 1 / 3):
        settings = Settings(learning_rate=end, learning_rate_schedule=Part(ramp, start=1e-6 / end))
        rates = curves(settings, first=0, count=35, total=35, seed=0)["rate"]
        assert rates[-1] == np.float32(end)
        assert rates[0] == pytest.approx(1e-6)
        assert np.allclose(np.diff(rates), np.diff(rates).mean(), rtol=1e-3)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (history(1.0, 0.9, 1.7), False),
        (history(1.0, 0.9, 1.9), True),
        (history(1.0, float("nan")), True),
        (history(1.0, 0.5, diverged=Divergence(1, 3, 0.1)), True),
    ],
)
def test_a_loss_that_runs_away_is_noticed_in_any_epoch(of, expected):
    assert ran_away(of, 2.0) is expected


@pytest.fixture(scope="module")
def outcome():
    """After a draw."""
    progress = Progress(drawn(job(), 1), job().settings)
    return warmup(job(), progress, deadline=Deadline(), epochs=2, scored_for=2, seeds=2)


def test_the_weights_that_are_handed_on_are_trained(outcome):
    assert outcome.status == "done"
    assert not same(outcome.progress.weights, drawn(job(), 1))
    assert outcome.progress.settings == job().settings
    assert outcome.evidence["halved"] == [0, 0]


def test_it_is_compared_with_a_training_that_has_its_epochs_too(outcome):
    assert outcome.evidence["epochs"] == 4
    assert outcome.spread > 0


def test_a_rate_at_which_the_loss_runs_away_is_halved_and_so_is_that_of_the_training():
    steep = job(settings=replace(job().settings, learning_rate=0.1))
    found = warmup(
        steep,
        fresh(steep),
        deadline=Deadline(),
        epochs=2,
        e_lr=1e38,
        bound=1e9,
        backoffs=1,
        scored_for=1,
        seeds=2,
    )
    assert found.status == "failed"
    assert found.evidence["halved"] == [1, 1]
    assert found.evidence["end_rates"] == [5e37, 5e37]
    assert "ran away" in found.reason
    assert found.progress.weights is None


def test_a_rate_that_is_low_enough_after_halving_is_used_and_becomes_that_of_the_training():
    """Gradient descent on a parabola diverges beyond a rate of two over its curvature."""
    plain = Settings(
        optimizer=Optimizer(Rule("sgd")), learning_rate=16.0, batch_size=40, epochs=4, patience=None
    )
    of = job(build=line, settings=plain)
    found = warmup(of, fresh(of), deadline=Deadline(), epochs=12, scored_for=1, seeds=2)
    halved = found.evidence["halved"]
    assert found.status == "done"
    assert min(halved) >= 2
    assert found.evidence["end_rates"] == [16.0 / 2**times for times in halved]
    assert found.progress.settings.learning_rate == min(found.evidence["end_rates"])


def test_the_same_seed_begins_with_the_same_draw():
    assert same(drawn(job(), derive(0, "warmup")), drawn(job(), derive(0, "warmup")))
