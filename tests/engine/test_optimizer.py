"""Optimizers: Keras's own rules step for step, and groups with rates and decays of their own."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import ops

from composable.core.errors import ConfigError
from composable.core.records import from_json, to_json
from composable.engine.optimizer import BIASES, Group, GroupedOptimizer, Optimizer, assigned
from composable.engine.rules import RULES, Rule

STEPS = 20
JAX_ALONE = pytest.mark.skipif(keras.backend.backend() != "jax", reason="the compiled engine's way")


def network():
    """A dense layer and its bias, a convolution, a head."""
    inputs = keras.Input((4, 4, 2))
    x = keras.layers.Conv2D(3, 2, name="convolution", use_bias=False)(inputs)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(4, activation="tanh", name="hidden")(x)
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(x))


def variables(count=2):
    draws = np.random.default_rng(0)
    shapes = ((3, 4), (4,), (5,), (2, 3))[:count]
    return [
        keras.Variable(draws.normal(size=shape).astype("float32"), name=f"v{i}")
        for i, shape in enumerate(shapes)
    ]


def gradients(trained, steps=STEPS, seed=1):
    draws = np.random.default_rng(seed)
    return [[draws.normal(size=v.shape).astype("float32") for v in trained] for _ in range(steps)]


def after(optimizer, trained, steps):
    """The values of the variables after these gradients."""
    for step in steps:
        optimizer.apply([ops.convert_to_tensor(g) for g in step], trained)
    return [ops.convert_to_numpy(v.value) for v in trained]


def scanned(optimizer, trained, steps):
    """The same in one compiled program, as the engine has it."""
    import jax

    def one(carry, step):
        return optimizer.stateless_apply(carry[1], step, carry[0]), None

    start = [v.value for v in trained], [v.value for v in optimizer.variables]
    stacked = [np.stack(kind) for kind in zip(*steps, strict=True)]
    return jax.jit(lambda start, steps: jax.lax.scan(one, start, steps)[0])(start, stacked)


@JAX_ALONE
@pytest.mark.parametrize("name", sorted(RULES.keys() - {"muon"}))
def test_without_groups_it_is_keras_own(name):
    ours, theirs = variables(), variables()
    rule: type = RULES[name]
    optimizer = Optimizer(Rule(name), groups=(), clip=0.5).build(ours, learning_rate=0.01, weight_decay=0.02)
    other = rule(learning_rate=0.01, weight_decay=0.02, global_clipnorm=0.5)
    other.build(theirs)
    found, _ = scanned(optimizer, ours, gradients(ours))
    wanted, _ = scanned(other, theirs, gradients(ours))
    for one, another, before in zip(found, wanted, variables(), strict=True):
        np.testing.assert_allclose(one, another, rtol=0, atol=1e-6)
        assert np.abs(np.asarray(one) - np.asarray(before.value)).max() > 1e-4


def test_without_groups_it_is_keras_own_outside_of_programs():
    """As Keras `fit` calls it, on any backend; with the mean of two gradients for an update."""
    ours, theirs = variables(), variables()
    optimizer = Optimizer(groups=(), clip=0.5, accumulate=2).build(
        ours, learning_rate=0.01, weight_decay=0.02
    )
    other = keras.optimizers.AdamW(
        0.01, weight_decay=0.02, global_clipnorm=0.5, gradient_accumulation_steps=2
    )
    steps = gradients(ours, steps=5)
    for one, another in zip(after(optimizer, ours, steps), after(other, theirs, steps), strict=True):
        np.testing.assert_allclose(one, another, rtol=0, atol=1e-6)


def test_a_group_has_a_rate_and_a_decay_of_its_own():
    trained = variables(3)
    before = [ops.convert_to_numpy(v.value).copy() for v in trained]
    groups = (Group("v0", rate=2.0, decay=0.5), Group("v.", decay=0.0), Group("v2", rate=100.0))
    optimizer = Optimizer(Rule("sgd"), groups).build(trained, learning_rate=0.1, weight_decay=0.3)
    (step,) = gradients(trained, steps=1)
    found = after(optimizer, trained, [step])
    assert assigned(optimizer.description, trained) == (0, 1, 1)
    assert found[0] == pytest.approx(before[0] * (1 - 0.2 * 0.15) - 0.2 * step[0], abs=1e-6)
    assert found[1] == pytest.approx(before[1] - 0.1 * step[1], abs=1e-6)
    assert found[2] == pytest.approx(before[2] - 0.1 * step[2], abs=1e-6)


def test_a_group_has_a_rule_of_its_own():
    trained, alone = variables(), variables()
    groups = (Group("v1", rule=Rule("adam", {"beta_2": 0.9})),)
    optimizer = Optimizer(Rule("sgd", {"momentum": 0.9}), groups).build(trained, learning_rate=0.01)
    steps = gradients(trained, steps=4)
    found = after(optimizer, trained, steps)
    sgd = keras.optimizers.SGD(0.01, momentum=0.9)
    adam = keras.optimizers.Adam(0.01, beta_2=0.9)
    assert found[0] == pytest.approx(after(sgd, alone[:1], [step[:1] for step in steps])[0], abs=1e-6)
    assert found[1] == pytest.approx(after(adam, alone[1:], [step[1:] for step in steps])[0], abs=1e-6)


def test_biases_do_not_decay_unless_a_group_does():
    model = network()
    paths = [v.path for v in model.trainable_variables]
    places = assigned(Optimizer(), model.trainable_variables)
    assert [path for path, place in zip(paths, places, strict=True) if place == 0] == [
        "hidden/bias",
        "head/bias",
    ]
    assert Optimizer().groups == (BIASES,)
    assert set(assigned(Optimizer(groups=()), model.trainable_variables)) == {0}


def test_muon_takes_kernels_and_leaves_the_rest_to_the_next():
    model = network()
    groups = (Group("head", rate=0.5), Group("", rule=Rule("muon")), BIASES)
    places = assigned(Optimizer(Rule("adam"), groups), model.trainable_variables)
    assert {v.path: p for v, p in zip(model.trainable_variables, places, strict=True)} == {
        "convolution/kernel": 1,
        "hidden/kernel": 1,
        "hidden/bias": 2,
        "head/kernel": 0,
        "head/bias": 0,
    }
    with pytest.raises(ConfigError, match="hidden/bias"):
        Optimizer(Rule("muon")).build(model)


def test_rate_and_decay_are_variables_found_by_their_indices():
    trained = variables()
    optimizer = Optimizer(groups=(Group("v0", rate=3.0, decay=0.25),)).build(
        trained, learning_rate=0.5, weight_decay=0.75
    )
    found = [ops.convert_to_numpy(v.value).tolist() for v in optimizer.variables[:5]]
    assert found == [0, 0.5, 0.75, [3.0, 1.0], [0.25, 1.0]]
    assert optimizer.learning_rate_index == 1
    assert optimizer.decay_index == 2
    assert all(v.dtype == "float32" for v in optimizer.variables[1:5])


@JAX_ALONE
def test_instances_side_by_side_have_rates_decays_and_multipliers_of_their_own():
    import jax
    import jax.numpy as jnp

    trained = variables()
    optimizer = Optimizer(groups=(Group("v1"),), clip=1.0).build(trained)
    steps = [np.stack(kind) for kind in zip(*gradients(trained, steps=3), strict=True)]
    values = [v.value for v in trained]
    slots = [v.value for v in optimizer.variables]
    rates, decays = jnp.array([0.1, 0.01]), jnp.array([0.0, 0.3])
    multipliers = jnp.array([[1.0, 1.0], [5.0, 1.0]])

    def instance(rate, decay, multiplier):
        def one(carry, step):
            slots = list(carry[1])
            slots[optimizer.learning_rate_index] = rate
            slots[optimizer.decay_index] = decay
            slots[3] = multiplier  # of the groups' rates
            return optimizer.stateless_apply(slots, step, carry[0]), None

        return jax.lax.scan(one, (values, slots), steps)[0][0]

    together = jax.jit(jax.vmap(instance))(rates, decays, multipliers)
    for k in range(2):
        fresh = variables()
        groups = (Group("v1", rate=float(multipliers[k, 0])),)
        alone = Optimizer(groups=groups, clip=1.0).build(
            fresh, learning_rate=float(rates[k]), weight_decay=float(decays[k])
        )
        wanted, _ = scanned(alone, fresh, gradients(fresh, steps=3))
        for one, another in zip(together, wanted, strict=True):
            np.testing.assert_allclose(one[k], another, rtol=0, atol=1e-6)


def test_keras_fit_trains_with_it_and_saves_it(tmp_path):
    model = network()
    groups = (Group("head", rate=0.5), Group("kernel", rule=Rule("muon", {"momentum": 0.6})), BIASES)
    optimizer = Optimizer(groups=groups, clip=1.0).build(model, learning_rate=0.02, weight_decay=0.01)
    model.compile(optimizer=optimizer, loss="mse")
    draws = np.random.default_rng(0)
    x, y = draws.normal(size=(32, 4, 4, 2)), draws.normal(size=(32, 2))
    losses = model.fit(x, y, epochs=8, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras").optimizer
    assert isinstance(again, GroupedOptimizer)
    assert again.description == optimizer.description
    for one, another in zip(again.variables, optimizer.variables, strict=True):
        assert np.array_equal(ops.convert_to_numpy(one.value), ops.convert_to_numpy(another.value))


def test_the_description_becomes_json_and_back():
    groups = (
        Group("head", rate=0.5, rule=Rule("sgd", {"momentum": np.float64(0.9), "nesterov": True})),
        BIASES,
    )
    described = Optimizer(Rule("adam", {"beta_2": 0.95}), groups, clip=1.0, accumulate=2)
    text = to_json(described, format="optimizer")
    assert from_json(Optimizer, text, format="optimizer", origin="optimizer.json") == described
    assert json.loads(text)["groups"][0]["rule"]["arguments"] == {"momentum": 0.9, "nesterov": True}
    assert len({described, Optimizer(Rule("adam", {"beta_2": 0.95}), groups, clip=1.0, accumulate=2)}) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rule("adamm"), "did you mean `adam`"),
        (lambda: Rule("adam", {"beta2": 0.9}), "did you mean `beta_2`"),
        (lambda: Rule("adam", {"weight_decay": 0.9}), "no argument `weight_decay`"),
        (lambda: Group("("), "regular expression"),
        (lambda: Group("bias", rate=-1.0), "at least 0"),
        (lambda: Group("bias", decay=float("nan")), "at least 0"),
        (lambda: Optimizer(clip=0.0), "positive norm"),
        (lambda: Optimizer(accumulate=0), "at least one step"),
    ],
)
def test_wrong_descriptions_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
