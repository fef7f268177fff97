"""Training: repeatable, stopped in time, with the best weights kept."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.engine.losses import squared_error
from composable.engine.predict import SIZES, predict
from composable.engine.train import (
    Rows,
    Settings,
    compile_for_training,
    initialise,
    train,
    weights_of,
)

random = np.random.default_rng(0)
X = random.normal(size=(50, 3)).astype("float32")
ROWS = Rows({"numbers": X}, (X[:, :1] * 2 + 1,))
HELD_OUT = ROWS.take(np.arange(10))


def build(*, dropout=0.0):
    inputs = keras.Input((3,), name="numbers")
    hidden = keras.layers.Dropout(dropout)(keras.layers.Dense(4, activation="tanh")(inputs))
    return keras.Model({"numbers": inputs}, [keras.layers.Dense(1)(hidden)])


def error(outputs, rows):
    return float(np.mean((outputs[0] - rows.targets[0]) ** 2))


class Clock:
    """Advances by one second each time it is read."""

    now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def trained(*, rows=ROWS, loss=error, seed=0, deadline=None, model=None, dropout=0.0, **settings):
    settings = Settings(**{"batch_size": 8, "epochs": 3, "learning_rate": 0.01} | settings)
    if model is None:
        model = build(dropout=dropout)
        compile_for_training(model, (squared_error,), settings)
    initialise(model, lambda: build(dropout=dropout), seed)
    history = train(
        model,
        rows,
        HELD_OUT,
        loss=loss,
        settings=settings,
        seed=seed,
        deadline=deadline or Deadline(),
    )
    return SimpleNamespace(model=model, history=history, weights=weights_of(model))


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.weights, b.weights, strict=True))


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first = trained(dropout=0.2)
    assert same(first, trained(dropout=0.2))
    assert not same(first, trained(dropout=0.2, seed=1))


def test_a_graph_used_before_gives_the_same_bits():
    """Optimizer, order and dropout start afresh: rotations don't depend on those before them."""
    first = trained(dropout=0.2)
    other = trained(dropout=0.2, model=first.model, seed=7)
    again = trained(dropout=0.2, model=other.model)
    assert same(first, again)


def test_the_persons_random_numbers_are_left_alone():
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    trained(epochs=1)
    assert np.random.random() == expected  # noqa: NPY002


def test_it_learns():
    history = trained(epochs=60).history
    assert history.epochs[-1].held_out < 0.2 * history.epochs[0].held_out
    assert history.epochs[-1].loss < history.epochs[0].loss
    assert (len(history.epochs), history.stopped) == (60, "epochs")


@pytest.mark.parametrize("size", [8, 50, 64])
def test_every_row_is_used(size):
    """A single weight per row and tied inputs: the rows that got a gradient are seen."""
    eye = np.eye(50, dtype="float32")
    inputs = keras.Input((50,), name="numbers")
    model = keras.Model({"numbers": inputs}, [keras.layers.Dense(1, use_bias=False)(inputs)])
    settings = Settings(batch_size=size, epochs=12, patience=99, weight_decay=0.0)
    compile_for_training(model, (squared_error,), settings)
    before = weights_of(model)[0]
    rows = Rows({"numbers": eye}, (np.full((50, 1), 9.0, "float32"),))
    train(model, rows, rows, loss=error, settings=settings, seed=0, deadline=Deadline())
    assert (weights_of(model)[0] != before).all()


def test_weights_of_zero_silence_a_row():
    noisy = np.concatenate([ROWS.targets[0], np.full((50, 1), 1e3, "float32")])
    rows = Rows({"numbers": np.concatenate([X, X])}, (noisy,), np.repeat([1.0, 0.0], 50).astype("float32"))
    assert error(predict(trained(rows=rows, epochs=40).model, HELD_OUT.inputs), HELD_OUT) < 2


def test_the_best_weights_are_kept():
    """The held-out loss says that the second epoch was best."""
    says = iter([3.0, 1.0, 2.0, 2.5])
    seen = {}

    def loss(outputs, rows):
        value = next(says)
        seen[value] = outputs[0]
        return value

    found = trained(loss=loss, epochs=4, patience=9)
    assert found.history.best_epoch == 1
    np.testing.assert_array_equal(predict(found.model, HELD_OUT.inputs)[0], seen[1.0])


def test_patience_ends_the_training():
    says = iter([1.0, *[2.0] * 20])
    history = trained(loss=lambda outputs, rows: next(says), epochs=20, patience=3, decays=0).history
    assert (len(history.epochs), history.stopped, history.best_epoch) == (4, "patience", 0)


def test_a_lower_rate_takes_up_the_best_weights():
    """Patience 1, one decay: the epoch after it starts where the first one ended, five times slower."""
    says = iter([1.0, *[2.0] * 20])
    outputs_of = []

    def loss(outputs, rows):
        outputs_of.append(outputs[0])
        return next(says)

    found = trained(loss=loss, epochs=9, patience=1, decays=1, decay=5.0)
    assert len(found.history.epochs) == 3
    assert float(found.model.optimizer.learning_rate) == pytest.approx(0.002)
    best, without_decay, after_decay = outputs_of
    assert np.abs(after_decay - best).mean() < 0.5 * np.abs(without_decay - best).mean()


def test_the_rate_starts_again_with_the_next_training():
    says = iter([1.0, *[2.0] * 20])
    first = trained(loss=lambda outputs, rows: next(says), epochs=9, patience=1, decays=1)
    again = trained(model=first.model, epochs=1)
    assert float(again.model.optimizer.learning_rate) == pytest.approx(0.01)


def test_the_deadline_stops_inside_an_epoch_and_keeps_the_best_weights():
    seen = []

    def loss(outputs, rows):
        seen.append(outputs[0])
        return float(len(seen))  # the first is the best

    found = trained(loss=loss, epochs=99, deadline=Deadline(9, Clock()))  # six steps are an epoch
    assert found.history.stopped == "deadline"
    assert 1 <= len(found.history.epochs) <= 2
    assert found.history.best_epoch == 0
    np.testing.assert_array_equal(predict(found.model, HELD_OUT.inputs)[0], seen[0])


def test_a_deadline_in_the_first_epoch_leaves_a_usable_network():
    found = trained(deadline=Deadline(0.5, Clock()))
    assert found.history.stopped == "deadline"
    assert np.isfinite(predict(found.model, HELD_OUT.inputs)[0]).all()


def test_a_loss_that_is_never_a_number_leaves_a_history_that_says_so():
    found = trained(loss=lambda outputs, rows: float("nan"), patience=2, epochs=20)
    assert found.history.best_epoch == -1
    assert found.history.stopped == "patience"


@pytest.mark.parametrize("rows", [0, 1, 2, 31, 33, 1025, 8193])
def test_predictions_do_not_depend_on_the_batches(rows):
    model = build()
    numbers = np.random.default_rng(rows).normal(size=(rows, 3)).astype("float32")
    (answer,) = predict(model, {"numbers": numbers})
    assert answer.shape == (rows, 1)
    np.testing.assert_allclose(answer, keras.tree.flatten(model({"numbers": numbers}))[0], atol=1e-5)


def test_d26_no_rows_give_no_answers_for_every_output():
    inputs = keras.Input((3,), name="numbers")
    model = keras.Model({"numbers": inputs}, [keras.layers.Dense(2)(inputs), keras.layers.Dense(5)(inputs)])
    assert [answer.shape for answer in predict(model, {"numbers": X[:0]})] == [(0, 2), (0, 5)]


def test_batches_have_few_sizes(monkeypatch):
    """A backend compiles each size once."""
    model, seen = build(), set()
    monkeypatch.setattr(
        model,
        "predict_on_batch",
        lambda batch: seen.add(len(batch["numbers"])) or [np.zeros((len(batch["numbers"]), 1))],
    )
    for rows in (1, 3, 31, 32, 33, 900, 1024, 5000, 9000, 20_000):
        predict(model, {"numbers": np.zeros((rows, 3), "float32")})
    assert seen <= set(SIZES)
