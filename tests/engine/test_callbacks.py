"""A user's Keras callbacks: untouched, and heard."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.engine.train import train
from composable.engine.training_options import Callbacks, Options
from tests.engine.cohorts import cohort, instance, trained


def run(callbacks, *instances, notify=lambda _text: None):
    made = cohort(*(instances or (instance(epochs=6, patience=None),)))
    options = Options(callbacks=Callbacks(callbacks, notify))
    return made, train(made, deadline=Deadline(), options=options)


class Seen(keras.callbacks.Callback):
    """Writes down its calls and what the model then holds."""

    def __init__(self):
        super().__init__()
        self.calls, self.rates, self.weights = [], [], []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((epoch, sorted(logs)))
        self.weights.append(self.model.get_weights())

    def on_train_end(self, logs=None):
        self.calls.append("end")


def test_they_are_told_of_epochs_and_see_the_weights():
    seen = Seen()
    made, _ = run([seen], instance(epochs=2, patience=None))
    assert seen.calls == ["begin", (0, ["loss", "val_loss"]), (1, ["loss", "val_loss"]), "end"]
    assert seen.rates == pytest.approx([0.01, 0.01])
    for mine, theirs in zip(seen.weights[1], made.weights(best=False)[0], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_early_stopping_stops():
    _, (history,) = run(
        [keras.callbacks.EarlyStopping(patience=2, min_delta=1e9)], instance(epochs=50, patience=None)
    )
    assert history.stopped == "callback"
    assert len(history.epochs) == 3


def test_a_learning_rate_that_is_set_is_trained_with():
    slow = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 if epoch == 0 else 0.0)
    _, (history,) = run([slow], instance(epochs=4, patience=None, weight_decay=0.0))
    measures = [epoch.held_out for epoch in history.epochs]
    assert measures[1:] == pytest.approx([measures[0]] * 3)


def test_a_learning_rate_that_is_reduced_stays_reduced():
    seen = Seen()
    reduce = keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=1, min_delta=1e9)
    run([reduce, seen], instance(epochs=4, patience=None))
    assert seen.rates == pytest.approx([0.01, 0.01, 0.001, 0.0001])


def test_weights_that_are_set_are_trained_on_from():
    class Zero(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])

    made, _ = run([Zero()], instance(epochs=1, patience=None))
    assert all((weight == 0).all() for weight in made.weights(best=False)[0])


def test_a_checkpoint_is_an_ordinary_model(tmp_path):
    path = tmp_path / "best.keras"
    made, _ = run([keras.callbacks.ModelCheckpoint(path, save_best_only=True)])
    loaded = keras.saving.load_model(path)
    for mine, theirs in zip(loaded.get_weights(), made.weights()[0], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-7)


def test_one_that_wants_batches_gets_them_with_a_message():
    class Count(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.losses = []

        def on_train_batch_end(self, batch, logs=None):
            self.losses.append((batch, logs["loss"]))

    notices, count = [], Count()
    _, (history,) = run([count], instance(epochs=2, patience=None), notify=notices.append)
    assert [batch for batch, _ in count.losses] == [*range(7), *range(7)]
    assert history.epochs[0].loss == pytest.approx(np.mean([loss for _, loss in count.losses[:7]]), rel=1e-5)
    assert "Count" in notices[0]
    (plain,) = trained(instance(epochs=2, patience=None)).histories
    assert history.epochs[1].held_out == pytest.approx(plain.epochs[1].held_out, rel=1e-4)


def test_each_instance_of_a_cohort_has_its_own():
    stoppers = {0: [], 1: [keras.callbacks.EarlyStopping(patience=1, min_delta=1e9)]}
    _, histories = run(
        stoppers.get, instance(epochs=5, patience=None), instance(seed=1, epochs=5, patience=None)
    )
    assert [len(history.epochs) for history in histories] == [5, 2]
    with pytest.raises(ConfigError, match="of its own"):
        run(stoppers[1], instance(), instance(seed=1))
