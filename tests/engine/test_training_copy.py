"""The training copy: the same network with layers of this project, and its values copied."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from composable.core.errors import ConfigError
from composable.design.inputs import as_inputs
from composable.engine.training_copy import (
    copy_values_to,
    dropout_rates,
    shared_indices,
    training_copy,
)
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES

on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="draws as Keras does on JAX")


def wide(*noise, rate=0.5, kind=layers.Dropout, shape=(6, 5, 4), seed=3, **settings):
    """A model of one dropout layer, and its training copy."""
    x = keras.Input(shape)
    settings = settings | ({"noise_shape": noise} if noise else {})
    model = keras.Model(x, kind(rate, seed=seed, **settings)(x))
    return model, training_copy(model)


def copy_back(copied, model):
    """Give the model the values of its training copy."""
    others = copied.non_trainable_variables
    shared = [others[index] for index in shared_indices(copied, model)]
    for source, own in zip([*copied.trainable_variables, *shared], arranged(model), strict=True):
        own.assign(np.array(ops.convert_to_numpy(source.value)))


def arranged(model):
    return [*model.trainable_variables, *model.non_trainable_variables]


def predicted(model, x, **how):
    """On the host, without gradients."""
    return keras.tree.map_structure(ops.convert_to_numpy, model(x, **how))


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def arrays(variables):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def nested():
    """A shared layer, a nested model used twice, a nested Sequential, and an operation between layers."""
    inner_in = keras.Input((8,))
    inner = keras.Model(inner_in, layers.Dropout(0.25)(layers.Dense(8)(inner_in)))
    tail = keras.Sequential([layers.BatchNormalization(), layers.Dropout(0.75), layers.Dense(3)])
    shared = layers.Dense(8, activation="relu")
    x = keras.Input((8,))
    y = ops.concatenate([inner(shared(x)), inner(ops.square(shared(x)))])
    return keras.Model(x, {"a": tail(layers.Dropout(0.0)(y)), "b": layers.Dense(1)(y)})


def test_the_training_copy_computes_the_same_with_every_kind_of_graph():
    model = nested()
    copied = training_copy(model)
    x = numbers(4, 8)
    expected, got = predicted(model, x), predicted(copied, x)
    assert set(got) == {"a", "b"}
    for name, value in got.items():
        np.testing.assert_array_equal(value, expected[name])
    assert [v.shape for v in copied.trainable_variables] == [v.shape for v in model.trainable_variables]
    assert not {id(v) for v in copied.variables} & {id(v) for v in model.variables}


def test_the_models_other_variables_are_found_in_the_training_copy():
    model = nested()
    copied = training_copy(model)
    others = copied.non_trainable_variables
    found = [others[position] for position in shared_indices(copied, model)]
    assert [(v.name, v.shape) for v in found] == [(v.name, v.shape) for v in model.non_trainable_variables]
    # Three rates, and the random state that Keras doesn't give to dropout with the rate 0.
    assert len(others) == len(found) + 4


def test_values_are_copied_both_ways():
    model = nested()
    copied = training_copy(model)
    for number, variable in enumerate(copied.variables):
        if "rate" not in variable.name:
            variable.assign(ops.full(variable.shape, number, variable.dtype))
    copy_back(copied, model)
    assert all(float(np.min(v)) == float(np.max(v)) for v in arrays(model.weights))
    x = numbers(4, 8)
    np.testing.assert_array_equal(predicted(model, x)["b"], predicted(copied, x)["b"])
    for variable in model.trainable_variables:
        variable.assign(ops.full(variable.shape, 0.5))
    copy_values_to(model, copied)
    assert {float(v) for value in arrays(copied.trainable_variables) for v in value.flat} == {0.5}


def test_the_model_is_left_as_it_is():
    model = nested()
    model.compile("sgd", loss={"a": "mse", "b": "mse"})
    before, names = arrays(model.variables), [layer.name for layer in model.layers]
    copied = training_copy(model)
    assert not copied.compiled
    assert model.compiled
    for variable in copied.trainable_variables:
        variable.assign(ops.zeros(variable.shape))
    for old, new in zip(before, arrays(model.variables), strict=True):
        np.testing.assert_array_equal(old, new)
    assert [layer.name for layer in model.layers] == names
    assert all(layer.output is not None for layer in model.layers[1:2])


@on_jax
def test_the_values_are_copies_that_training_may_give_away():
    model = nested()
    copied = training_copy(model)
    copy_back(copied, model)
    for variable in copied.variables:
        variable.value.delete()
    assert np.isfinite(model(numbers(4, 8))["a"]).all()
    copy_values_to(model, copied)
    for variable in model.variables:
        variable.value.delete()
    assert all(np.isfinite(value).all() for value in arrays(copied.trainable_variables))


def test_frozen_layers_stay_frozen():
    model = nested()
    model.layers[1].trainable = False
    copied = training_copy(model)
    assert len(copied.trainable_variables) == len(model.trainable_variables)
    positions = shared_indices(copied, model)
    assert len(positions) == len(model.non_trainable_variables)


def test_a_person_s_own_subclass_of_a_layer_is_kept():
    class Doubled(layers.Dropout):
        def call(self, inputs, training=False):
            return 2 * inputs

    x = keras.Input((4,))
    copied = training_copy(keras.Model(x, Doubled(0.5)(x)))
    assert not dropout_rates(copied)
    np.testing.assert_array_equal(predicted(copied, numbers(3, 4), training=True), 2 * numbers(3, 4))


def test_a_normalization_of_data_keeps_what_it_learned():
    normalization = layers.Normalization()
    normalization.adapt(5 + 3 * numbers(100, 4))
    x = keras.Input((4,))
    model = keras.Model(x, normalization(x))
    copied = training_copy(model)
    np.testing.assert_allclose(predicted(copied, numbers(3, 4)), predicted(model, numbers(3, 4)), rtol=1e-6)


def test_what_cannot_be_taken_apart_is_its_own_training_copy():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Own()
    with pytest.raises(ConfigError, match="must be built"):
        training_copy(model)
    model(numbers(3, 4))
    assert training_copy(model) is model
    assert shared_indices(model, model) == []
    with pytest.raises(ConfigError, match="bfloat16"):
        training_copy(model, precision="bfloat16")


def test_bfloat16_computes_so_and_keeps_variables_and_outputs_exact():
    x = keras.Input((4,))
    scaled = layers.Rescaling(1 / 2000, name="scaled")(x)
    hidden = layers.Dense(8, name="hidden")(layers.Dropout(0.5)(scaled))
    model = keras.Model(x, layers.Activation("softmax", name="out")(layers.Dense(3)(hidden)))
    copied = training_copy(model, precision="bfloat16")
    assert copied.get_layer("hidden").compute_dtype == "bfloat16"
    assert copied.get_layer("scaled").compute_dtype == "float32"
    assert {v.dtype for v in copied.trainable_variables} == {"float32"}
    assert keras.backend.standardize_dtype(copied(numbers(5, 4)).dtype) == "float32"
    np.testing.assert_allclose(predicted(copied, numbers(5, 4)), predicted(model, numbers(5, 4)), atol=0.02)


KINDS = {
    "Dropout": (layers.Dropout, (6, 5, 4), {}),
    "noise": (layers.Dropout, (6, 5, 4), {"noise_shape": (None, 1, 1, 1)}),
    "1D": (layers.SpatialDropout1D, (6, 5), {}),
    "2D": (layers.SpatialDropout2D, (6, 5, 4), {}),
    "3D": (layers.SpatialDropout3D, (3, 6, 5, 4), {}),
    "2D, channels first": (layers.SpatialDropout2D, (6, 5, 4), {"data_format": "channels_first"}),
    "Gaussian": (layers.GaussianDropout, (6, 5, 4), {}),
    "Alpha": (layers.AlphaDropout, (6, 5, 4), {"noise_shape": (None, 1, None, None)}),
}
kinds = pytest.mark.parametrize(("kind", "shape", "settings"), KINDS.values(), ids=KINDS)


@on_jax
@kinds
def test_the_same_seed_drops_what_keras_drops(kind, shape, settings):
    model, copied = wide(kind=kind, shape=shape, rate=0.3, **settings)
    x = numbers(16, *shape)
    for _ in range(2):
        np.testing.assert_allclose(
            predicted(copied, x, training=True), predicted(model, x, training=True), rtol=1e-5, atol=1e-6
        )
    copy_back(copied, model)
    np.testing.assert_allclose(
        predicted(copied, x, training=True), predicted(model, x, training=True), rtol=1e-5, atol=1e-6
    )


@kinds
def test_the_rate_zero_is_exactly_the_identity_and_any_rate_can_be_set_later(kind, shape, settings):
    _, copied = wide(kind=kind, shape=shape, rate=0.0, **settings)
    x = numbers(256, *shape)
    np.testing.assert_array_equal(predicted(copied, x, training=True), x)
    (rate,) = dropout_rates(copied)
    rate.assign(0.25)
    np.testing.assert_array_equal(predicted(copied, x, training=False), x)
    changed = np.asarray(ops.convert_to_numpy(copied(x, training=True)))
    assert not np.array_equal(changed, x)


@pytest.mark.parametrize("rate", [0.0, 0.4, 1.0])
def test_dropout_drops_as_often_as_its_rate_says_and_scales_the_rest(rate):
    _, copied = wide(rate=0.4, shape=(64,))
    dropout_rates(copied)[0].assign(rate)
    out = np.asarray(ops.convert_to_numpy(copied(np.ones((256, 64), "float32"), training=True)))
    np.testing.assert_allclose(np.mean(out == 0), rate, atol=0.02)
    np.testing.assert_allclose(out[out != 0], 1 / (1 - rate) if rate < 1 else 0.0, rtol=1e-6)


def test_stochastic_depth_drops_whole_rows():
    _, copied = wide(None, 1, 1, 1, rate=0.5)
    out = np.asarray(ops.convert_to_numpy(copied(np.ones((64, 6, 5, 4), "float32"), training=True)))
    assert set(np.unique(out.reshape(64, -1).sum(1))) == {0.0, 240.0}


def test_attention_drops_with_a_rate_that_can_be_changed():
    x = keras.Input((6, 8))
    model = keras.Model(x, layers.MultiHeadAttention(2, 4, dropout=0.5, seed=1)(x, x))
    copied = training_copy(model)
    values = numbers(3, 6, 8)
    (rate,) = dropout_rates(copied)
    assert not np.allclose(
        predicted(copied, values, training=True), predicted(copied, values, training=False)
    )
    rate.assign(0.0)
    np.testing.assert_allclose(
        predicted(copied, values, training=True), predicted(model, values), rtol=1e-5, atol=1e-6
    )
    copy_back(copied, model)
    # Without dropout Keras's attention has none that could be changed.
    bare = keras.Model(x, layers.MultiHeadAttention(2, 4)(x, x))
    assert not dropout_rates(training_copy(bare))


@on_jax
def test_every_instance_has_its_own_rate_under_vmap():
    import jax
    import jax.numpy as jnp

    _, copied = wide(shape=(128,))
    x = np.ones((32, 128), "float32")
    rates = jnp.array([0.0, 0.25, 1.0], "float32")
    position = [v.name for v in copied.non_trainable_variables].index("dropout_rate")

    def summed(rate, x):
        others = [v.value for v in copied.non_trainable_variables]
        others[position] = rate
        out, _ = copied.stateless_call([], others, x, training=True)
        return jnp.sum(out), jnp.mean(out == 0)

    (_, dropped), slopes = jax.vmap(jax.value_and_grad(summed, argnums=1, has_aux=True), (0, None))(rates, x)
    np.testing.assert_allclose(dropped, rates, atol=0.02)
    assert np.isfinite(slopes).all()
    np.testing.assert_array_equal(slopes[0], x)
    np.testing.assert_array_equal(slopes[2], 0 * x)


HALVED = (
    "resnet_cifar",
    "mobilenet_v2",
    "ft_transformer",
    "tabm",
)  # an image, a phone, attention, an ensemble
MEMBERS = [(name, "float32") for name in FAMILIES] + [(name, "bfloat16") for name in HALVED]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "precision"), MEMBERS)
def test_every_family_of_the_zoo_has_a_training_copy(name, precision):
    family = FAMILIES[name]
    model = catalog.made(family, dict(family.smallest.metaparameters)).build(family.smallest.inputs)
    copied = training_copy(model, precision=precision)
    assert [v.shape for v in copied.trainable_variables] == [v.shape for v in model.trainable_variables]
    x = rows(family)
    expected, got = flat(model(x, training=False)), flat(copied(x, training=False))
    for one, other in zip(got, expected, strict=True):
        scale = max(1.0, float(np.abs(other).max()))
        np.testing.assert_allclose(one, other, atol=(1e-5 if precision == "float32" else 0.05) * scale)
    for variable in copied.trainable_variables:
        variable.assign(variable * 0.5)
    copy_back(copied, model)
    for one, other in zip(arrays(model.trainable_variables), arrays(copied.trainable_variables), strict=True):
        np.testing.assert_array_equal(one, other)


def flat(outputs):
    return [
        np.asarray(ops.convert_to_numpy(ops.cast(each, "float32"))) for each in keras.tree.flatten(outputs)
    ]


def rows(family):
    rng = np.random.default_rng(0)

    def drawn(one):
        shape = (4, *(size or 12 for size in one.shape))
        whole = one.dtype.startswith("int")
        return (
            rng.integers(0, 4, shape).astype(one.dtype)
            if whole
            else rng.uniform(size=shape).astype(one.dtype)
        )

    inputs = as_inputs(family.smallest.inputs)
    return {name: drawn(i) for name, i in inputs.items()} if isinstance(inputs, dict) else drawn(inputs)
