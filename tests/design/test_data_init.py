import keras
import numpy as np
import pytest

from composable.design import Input, Part, Task
from composable.design.fitting import INIT_ROWS, data_init
from composable.design.tables import adapt
from composable.design.tasks import classifier, regressor
from composable.zoo.mlp import linear
from composable.zoo.realmlp import realmlp, realmlp_s

CODES = (4, 20)
INPUTS = {"numbers": Input((5,)), "categories": Input((2,), "int32")}
TASKS = (Task(Part(classifier, classes=3), "kind"), Task(Part(regressor), "price"))
DENSE = ("hidden_0_dense", "hidden_1_dense", "kind_logits", "price_logits")


def table(rows=200):
    rng = np.random.default_rng(0)
    return {
        "numbers": np.exp(rng.normal(size=(rows, 5))).astype("float32"),
        "categories": np.stack([rng.integers(0, c, rows) for c in CODES], 1).astype("int32"),
    }


def fitted(rows, seed=0):
    keras.utils.set_random_seed(3)
    model = realmlp(tasks=TASKS, categories=CODES, units=(16, 8)).build(INPUTS)
    adapt(model, rows, categories=CODES)
    data_init(model)(rows, seed)
    return model


@pytest.fixture(scope="module")
def model():
    return fitted(table())


def before_biases(model, name, rows):
    layer = model.get_layer(name)
    given = keras.Model(model.input, layer.input).predict_on_batch(rows)
    return given @ layer.get_weights()[0]


@pytest.mark.parametrize("name", DENSE)
def test_every_unit_varies_by_one_over_the_training_rows(model, name):
    spread = before_biases(model, name, table()).std(axis=0)
    np.testing.assert_allclose(spread, 1.0, atol=0.05)  # INIT_ROWS isn't a multiple of 200


@pytest.mark.parametrize("name", DENSE)
def test_every_unit_is_zero_somewhere_among_the_training_rows(model, name):
    outputs = before_biases(model, name, table()) + model.get_layer(name).get_weights()[1]
    assert (outputs.min(axis=0) < 0).all()
    assert (outputs.max(axis=0) > 0).all()


def test_the_biases_of_a_layer_differ_from_minus_the_mean(model):
    outputs = before_biases(model, "hidden_0_dense", table())
    off = model.get_layer("hidden_0_dense").get_weights()[1] + outputs.mean(axis=0)
    assert 0.2 < off.std() < 0.8  # five rows with exponential weights: sqrt(1 / 3) = 0.58


def test_another_seed_draws_other_biases():
    rows = table()
    one, same, other = (fitted(rows, seed).get_layer("hidden_0_dense").get_weights() for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[1], same[1])
    assert np.abs(one[1] - other[1]).max() > 0.1


def test_a_unit_that_always_says_the_same_keeps_its_weights():
    rows = {name: np.repeat(values[:1], 30, axis=0) for name, values in table().items()}
    model = fitted(rows)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_many_rows_cost_no_more_than_a_few_of_them():
    rows = table(3 * INIT_ROWS)
    model = fitted(rows)
    spread = before_biases(model, "hidden_0_dense", rows).std(axis=0)
    np.testing.assert_allclose(spread, 1.0, atol=0.2)
    assert np.abs(spread - 1.0).max() > 1e-4  # not all rows were looked at


@pytest.mark.parametrize("architecture", [linear(categories=CODES), realmlp_s(categories=CODES, units=(8,))])
def test_layers_that_do_not_ask_for_it_are_left_alone(architecture):
    model = architecture.build(INPUTS)
    before = model.get_weights()
    data_init(model)(table(), 0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
