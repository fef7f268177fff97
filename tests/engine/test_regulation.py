"""Regularization that changes while a training goes on."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.design.part import Part
from composable.engine.cohort import Cohort, Instance
from composable.engine.initialize import initialize
from composable.engine.regulation import final_phase, follow_gap, has_gap, schedule_section
from composable.engine.rows import Rows
from composable.engine.schedules import cosine
from composable.engine.settings import Settings
from composable.engine.train import train
from tests.engine.cohorts import GOAL

random = np.random.default_rng(0)
X = random.normal(size=(80, 3)).astype("float32")
# The held-out rows (the last twenty) have targets far from what is learned: their gap never closes.
HELD_OUT = np.arange(60, 80)
Y = np.concatenate([X[:60, :1], X[60:, :1] + 5.0])


def build():
    """Half of what is hidden is dropped, where the factor is 1."""
    inputs = keras.Input((3,), name="numbers")
    hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(16)(inputs))
    return keras.Model({"numbers": inputs}, [keras.layers.Dense(1)(hidden)])


def trained(regulation, *, held_out=HELD_OUT, epochs=5):
    """The histories and the dropout factors after each epoch, at a learning rate of 0."""
    factors = []

    def recorded(cohort):
        regulate = regulation(cohort)

        def noted(epoch, states):
            found = regulate(epoch, states)
            factors.append([one.dropout for one in found])
            return found

        return noted

    settings = Settings(
        learning_rate=0.0,
        weight_decay=0.0,
        dropout=0.0,
        batch_size=20,
        epochs=epochs,
        patience=None,
        regulation=Part(recorded),
    )
    instances = tuple(Instance(np.arange(60), held_out, seed, settings) for seed in (0, 1))
    cohort = Cohort(
        build(), (GOAL,), Rows({"numbers": X}, (Y,)), instances, lambda model, _: initialize(model, build, 0)
    )
    return train(cohort, deadline=Deadline()), np.array(factors).T


@pytest.fixture(scope="module")
def under_a_gap():
    """With an open gap throughout."""
    return trained(lambda cohort: follow_gap(cohort, first=1.0, growth=1.25, most=1.5))


def test_dropout_is_switched_on_by_a_gap_and_grows_to_its_bound(under_a_gap):
    _, factors = under_a_gap
    assert factors.tolist() == [[1.0, 1.25, 1.5, 1.5, 1.5]] * 2


def test_the_running_graph_changes(under_a_gap):
    """At a rate of 0 nothing is learned: only dropout makes the loss of an epoch another one."""
    histories, _ = under_a_gap
    for history in histories:
        losses = [epoch.loss for epoch in history.epochs]
        held_out = [epoch.held_out for epoch in history.epochs]
        assert np.ptp(held_out) == 0
        assert np.ptp(losses) > 0.01
        assert np.std(losses[1:]) > 0
    first = [history.epochs[0].loss for history in histories]
    later = [[epoch.loss for epoch in history.epochs[1:]] for history in histories]
    assert first[0] == pytest.approx(first[1], rel=1e-5)  # dropout was off: the masks don't matter
    assert np.abs(np.subtract(*later)).max() > 0.01


def test_without_a_gap_dropout_stays_off():
    """Held-out rows that are learned from have none."""
    histories, factors = trained(follow_gap, held_out=np.arange(60), epochs=3)
    assert not factors.any()
    losses = [epoch.loss for epoch in histories[0].epochs]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


@pytest.mark.parametrize(
    ("learned", "held_out", "expected"),
    [
        (0.8, 1.0, True),
        (0.95, 1.0, False),
        (1.0, 0.5, False),
        (math.nan, 1.0, False),
        (1.0, math.nan, False),
        (-2.0, -1.0, True),
    ],
)
def test_a_gap_is_a_share_of_the_held_out_measure(learned, held_out, expected):
    assert has_gap(learned, held_out, 0.1) is expected


def test_settings_of_the_final_phase_have_larger_batches_and_less_regularization():
    settings = Settings(batch_size=32, dropout=0.8, weight_decay=0.1, label_smoothing=0.2)
    found = final_phase(settings, batch=2.0, regularization=0.25)
    expected = replace(settings, batch_size=64, dropout=0.2, weight_decay=0.025, label_smoothing=0.05)
    assert found == expected


def test_a_section_of_a_schedule_is_that_schedule_between_two_shares():
    progress = np.linspace(0.0, 1.0, 5)
    assert np.allclose(
        schedule_section(progress, of=cosine, low=0.25, high=0.75), cosine(0.25 + 0.5 * progress)
    )
