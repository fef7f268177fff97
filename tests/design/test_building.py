"""An outline has the shapes of a model and nothing else, and leaves no trace."""

import keras
import numpy as np
import pytest
from keras import layers

from composable.core.errors import ConfigError
from composable.design import Architecture, Choice, Part
from composable.design.building import outline, outlined
from composable.design.cost import cost
from composable.design.tasks import classifier

TINY = Architecture(
    stem=Part(layers.Dense, units=5),
    learner=(Part(layers.BatchNormalization), Part(layers.Dropout, rate=0.5)),
    tasks=Part(classifier, classes=3),
)


def kernel():
    layer = layers.Dense(3)
    layer.build((None, 2))
    return layer.get_weights()[0]


def test_it_counts_what_the_built_model_counts():
    model, trail = outline(TINY, (4,))
    assert cost(model) == cost(TINY.build((4,)))
    assert model.count_params() == 25 + 20 + 18
    assert [step.path for step in trail.steps] == ["stem", "learner.0", "learner.1", "tasks.0"]


def test_ten_billion_parameters_take_neither_memory_nor_time():
    huge = Architecture(
        learner=(Part(layers.Dense, units=100_000), Part(layers.Dense, units=100_000)),
        tasks=Part(classifier, classes=2),
    )
    model, _ = outline(huge, (100_000,))
    assert model.count_params() == 20_000_400_002
    assert all(weight._value is None for weight in model.weights)


def test_no_later_scope_gives_its_weights_values():
    model, _ = outline(TINY, (4,))
    with keras.StatelessScope():
        pass
    assert all(weight._value is None for weight in model.weights)


def test_what_is_built_later_is_drawn_and_named_as_if_it_had_not_happened():
    keras.utils.set_random_seed(1)
    plain = kernel()
    keras.utils.set_random_seed(1)
    outline(TINY, (4,))
    np.testing.assert_array_equal(kernel(), plain)
    before = layers.Dense(1).name
    outline(TINY, (4,))
    after = layers.Dense(1).name
    assert int(after.rpartition("_")[2]) == int(before.rpartition("_")[2] if "_" in before else 0) + 1


def test_a_model_built_later_learns():
    outline(TINY, (4,))
    model = TINY.build((4,))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 4)).astype("float32"), rng.integers(0, 3, 32)
    losses = [float(model.train_on_batch(x, y)) for _ in range(5)]
    assert np.isfinite(losses).all()


def test_it_keeps_the_policy_in_force():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, _ = outline(TINY, (4,))
    finally:
        keras.config.set_dtype_policy(policy)
    assert model.get_layer("logits").compute_dtype == "float16"


def test_it_fails_as_building_does_and_leaves_the_next_one_alone():
    opened = Architecture(stem=Part(layers.Dense, units=Choice((1, 2))), tasks=Part(classifier, classes=2))
    with pytest.raises(ConfigError, match="open"):
        outline(opened, (4,))
    assert outlined(lambda: 3) == 3
    assert kernel().shape == (2, 3)
