"""Training: repeatable, of the rows that it is given, by the loss that was chosen."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from composable.core.budget import Deadline
from composable.engine.averaging import EMA, SWA, Lookahead
from composable.engine.objective import Goal, squared_error
from composable.engine.optimizer import Optimizer
from composable.engine.rows import Rows, held_out_blocks
from composable.engine.rules import Rule
from composable.engine.train import train
from tests.engine.cohorts import GOAL, HELD_OUT, ROWS, X, build, cohort, error, instance, same, trained

STEPS = 7  # of an epoch: fifty rows, eight at a time


def dropping(rate):
    return lambda: build(dropout=rate)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first, again = (trained(instance(), instance(seed=1), make=dropping(0.2)) for _ in range(2))
    assert same(first.weights[0], again.weights[0])
    assert not same(first.weights[0], first.weights[1])


def test_an_instance_is_what_it_would_be_alone():
    together = trained(instance(), instance(seed=1, learning_rate=0.1), make=dropping(0.2))
    alone = trained(instance(seed=1, learning_rate=0.1), make=dropping(0.2))
    for one, other in zip(together.weights[1], alone.weights[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_users_random_numbers_are_left_alone():
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    trained(instance(epochs=1))
    assert np.random.random() == expected  # noqa: NPY002


def test_it_learns():
    (history,) = trained(instance(epochs=60)).histories
    assert history.epochs[-1].held_out < 0.2 * history.epochs[0].held_out
    assert history.epochs[-1].loss < history.epochs[0].loss
    assert (len(history.epochs), history.stopped) == (60, "epochs")


@pytest.mark.parametrize("size", [8, 50, 64])
def test_every_row_is_used(size):
    """A single weight per row and tied inputs: the rows that got a gradient are seen."""

    def rows_apart():
        inputs = keras.Input((50,), name="numbers")
        return keras.Model({"numbers": inputs}, [keras.layers.Dense(1, use_bias=False)(inputs)])

    rows = Rows({"numbers": np.eye(50, dtype="float32")}, (np.full((50, 1), 9.0, "float32"),))
    one = instance(batch_size=size, epochs=1, weight_decay=0.0)
    made = cohort(one, make=rows_apart, rows=rows)
    (before,) = made.weights()[0]
    train(made, deadline=Deadline())
    assert (made.weights()[0][0] != before).all()


def test_weights_of_zero_silence_a_row():
    noisy = np.concatenate([ROWS.targets[0], np.full((50, 1), 1e3, "float32")])
    rows = Rows({"numbers": np.concatenate([X, X])}, (noisy,), np.repeat([1.0, 0.0], 50).astype("float32"))
    found = trained(instance(rows=np.arange(100), epochs=40), rows=rows)
    assert error(found, found.weights[0]) < 2


def test_an_instances_own_weights_and_targets_are_its_own():
    """One learns the numbers, one their negatives, one nothing: only its held-out rows count."""
    negative = (-ROWS.targets[0],)
    ones = np.ones(50, "float32")
    weights = np.zeros(50, "float32")
    weights[HELD_OUT] = 1.0
    found = trained(
        instance(targets=ROWS.targets, weights=ones, epochs=60),
        instance(targets=negative, weights=ones, epochs=60),
        instance(rows=np.arange(10, 50), targets=ROWS.targets, weights=weights, epochs=60, weight_decay=0.0),
    )
    assert found.histories[0].epochs[-1].held_out < 1
    assert found.histories[1].epochs[-1].held_out < 1
    assert error(found, found.weights[1]) > 5
    assert found.histories[2].epochs[0].held_out == pytest.approx(found.histories[2].epochs[-1].held_out)


def test_the_measure_is_the_mean_by_the_weights_of_the_held_out_rows():
    weights = np.linspace(0, 3, 50).astype("float32")
    found = trained(instance(epochs=20), rows=Rows(ROWS.inputs, ROWS.targets, weights))
    (history,) = found.histories
    found.cohort.model.set_weights(found.weights[0])
    outputs = ops.convert_to_numpy(keras.tree.flatten(found.cohort.model({"numbers": X[HELD_OUT]}))[0])
    errors = ((outputs - ROWS.targets[0][HELD_OUT]) ** 2)[:, 0]
    assert history.best == pytest.approx(np.average(errors, weights=weights[HELD_OUT]), rel=1e-4)


@pytest.mark.parametrize("nothing", ["label", "weight"])
def test_held_out_rows_that_say_nothing_are_as_if_none_were_held_out(nothing):
    """Else each epoch would measure zero, and the first would be the best."""
    targets, weights = ROWS.targets[0].copy(), np.ones(50, "float32")
    if nothing == "label":
        targets[HELD_OUT] = np.nan
    else:
        weights[HELD_OUT] = 0.0
    (history,) = trained(instance(), rows=Rows(ROWS.inputs, (targets,), weights)).histories
    assert np.isnan([epoch.held_out for epoch in history.epochs]).all()
    assert history.best_epoch == 2


def test_rows_without_a_label_count_for_the_other_heads_alone():
    """The first head has labels for every other row, and none of those without are guessed at."""

    def two_heads():
        inputs = keras.Input((3,), name="numbers")
        outputs = [keras.layers.Dense(1, name=name)(inputs) for name in ("first", "second")]
        return keras.Model({"numbers": inputs}, outputs)

    half = ROWS.targets[0].copy()
    half[::2] = np.nan
    rows = Rows(ROWS.inputs, (half, ROWS.targets[0]))
    (history,) = trained(
        instance(epochs=80, learning_rate=0.1), make=two_heads, rows=rows, goals=(GOAL, GOAL)
    ).histories
    assert history.epochs[-1].held_out < 0.1
    assert np.isfinite([epoch.loss for epoch in history.epochs]).all()


def test_a_heads_weight_is_what_its_loss_counts():
    light = trained(instance(epochs=1), goals=(Goal(squared_error, squared_error, weight=0.5),)).histories[0]
    full = trained(instance(epochs=1)).histories[0]
    assert light.epochs[0].loss == pytest.approx(full.epochs[0].loss / 2, rel=0.2)


def test_the_measure_can_be_taken_of_any_rows():
    made = cohort(instance(), instance(seed=1))
    train(made, deadline=Deadline())
    chosen = [np.arange(20), np.arange(5)]
    found = made.program.measured(held_out_blocks(chosen))
    weights = made.weights(best=False)
    for number, rows in enumerate(chosen):
        made.model.set_weights(weights[number])
        outputs = ops.convert_to_numpy(keras.tree.flatten(made.model({"numbers": X[rows]}))[0])
        assert found[number] == pytest.approx(np.mean((outputs - ROWS.targets[0][rows]) ** 2), rel=1e-4)


def test_the_outputs_of_an_instance_are_those_of_the_model_taken_out():
    made = cohort(instance(), instance(seed=1), instance(seed=2))
    train(made, deadline=Deadline())
    outputs = made.program.outputs([np.arange(7), np.arange(50), np.arange(0)])
    assert [heads[0].shape for heads in outputs] == [(7, 1), (50, 1), (0, 1)]
    for number in (0, 1):
        model = made.take(number)
        assert not any("composable" in type(layer).__module__ for layer in model.layers)
        expected = ops.convert_to_numpy(
            keras.tree.flatten(model({"numbers": X[: len(outputs[number][0])]}))[0]
        )
        np.testing.assert_allclose(outputs[number][0], expected, atol=1e-5)


@pytest.mark.parametrize("average", [EMA(0.9), SWA(0.5), Lookahead(3, 0.5)])
def test_averaged_weights_are_measured_and_kept(average):
    found = trained(instance(epochs=6, patience=None, averaging=average, held_out=HELD_OUT))
    (history,) = found.histories
    assert error(found, found.weights[0]) == pytest.approx(
        history.epochs[history.best_epoch].held_out, rel=1e-4
    )
    plain = trained(instance(epochs=6, patience=None))
    assert not same(found.weights[0], plain.weights[0])


def test_sam_takes_its_gradient_where_the_loss_is_worse():
    """One step of plain descent on one weight: the gradient of (w - 1)^2 at w + radius."""

    def one_weight():
        inputs = keras.Input((1,), name="numbers")
        return keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(inputs))

    rows = Rows({"numbers": np.ones((4, 1), "float32")}, (np.full((4, 1), -1.0, "float32"),))
    sgd = Optimizer(rule=Rule("sgd"))
    one = instance(
        rows=np.arange(4),
        held_out=np.arange(4),
        epochs=1,
        learning_rate=0.1,
        weight_decay=0.0,
        sam=0.5,
        optimizer=sgd,
    )
    found = trained(one, make=one_weight, rows=rows)
    # At w = 0 the gradient is 2 (w + 1) = 2: uphill is +0.5, and there it is 3.
    np.testing.assert_allclose(found.weights[0][0], [[-0.3]], atol=1e-6)


def test_the_rows_of_a_batch_are_mixed_with_partners():
    """Targets that are linear in the input stay so under mixup, whatever the share."""
    one = instance(epochs=60, mixup=0.4, learning_rate=0.05)
    (history,) = trained(one).histories
    assert history.epochs[-1].held_out < 0.3 * history.epochs[0].held_out
    assert not same(trained(instance(mixup=0.4)).weights[0], trained(instance()).weights[0])
