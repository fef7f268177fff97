"""A part: what may be one, what its metaparameters become, and when two are the same."""

import copy
import functools
import pickle
from typing import Any

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design import Choice, Part, component
from composable.design.learners import group
from composable.design.metaparameters import Count, Rate
from composable.design.part import COMPONENTS, is_registered, name_of
from composable.design.tasks import classifier, pooled
from composable.zoo.resnet import basic, bottleneck


def block(
    x: Any, *, filters: Count, strides: Count = 1, rate: Rate = 0.0, sizes: tuple[Count, ...] = ()
) -> Any:
    return keras.layers.Conv2D(filters, 3, strides)(x)


def free(x, *, value=None, **more):
    return x


def applied(part, channels=3):
    return tuple(part(keras.Input((8, 8, channels))).shape)


def test_a_wrong_name_gives_the_names_there_are_and_the_nearest():
    message = (
        r"(?s)`block` has no metaparameter `filter`.*it takes: filters, strides, .*did you mean `filters`"
    )
    with pytest.raises(ConfigError, match=message):
        Part(block, filter=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filters", 0), ("filters", 2.0), ("filters", True), ("filters", "3"), ("filters", Part(pooled)),
        ("filters", Choice((8, 0))), ("rate", 1.0), ("rate", -0.1), ("rate", float("nan")), ("sizes", (1, 0)),
        ("sizes", 3),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_what_it_takes(name, value):
    with pytest.raises(ConfigError, match=rf"(?s)can't take this {name}.*it takes {name}: "):
        Part(block, **{name: value})


def test_a_component_among_metaparameters_must_be_one():
    with pytest.raises(ConfigError, match="block"):
        Part(group, block=3)


@pytest.mark.parametrize("thing", [3, None, "dense", (block,), functools.partial(block, 1), {}])
def test_what_can_t_be_applied_is_no_part(thing):
    with pytest.raises(ConfigError, match="A part is made of"):
        Part(thing)


@pytest.mark.parametrize("thing", [dict, int])
def test_what_doesn_t_say_what_it_takes_is_no_part(thing):
    with pytest.raises(ConfigError, match="A component says what it takes"):
        Part(thing)


def test_numpy_numbers_and_lists_become_pythons():
    part = Part(block, filters=np.int64(3), sizes=[np.int32(1), 2], rate=np.float32(0.5))
    assert part == Part(block, filters=3, sizes=(1, 2), rate=0.5)
    assert type(part.metaparameters["filters"]) is int
    assert Part(free, value=np.arange(4).reshape(2, 2)).metaparameters["value"] == ((0, 1), (2, 3))


def test_equal_numbers_of_different_kinds_make_different_parts():
    assert Part(free, value=1) != Part(free, value=1.0)
    assert Part(free, value=1) != Part(free, value=True)
    assert Part(free, value=(1, (2,))) == Part(free, value=[1, [2]])
    assert Part(free, value=1) != Part(block)
    assert hash(Part(free, value=1)) == hash(Part(free, value=1))


def test_a_partial_function_is_taken_apart():
    half = functools.partial(functools.partial(bottleneck, expansion=2), filters=4)
    assert Part(half) == Part(bottleneck, expansion=2, filters=4)
    assert Part(half, filters=8).metaparameters["filters"] == 8
    assert Part(group, block=half).metaparameters["block"] == Part(half)
    assert Part(Part(block, filters=1), filters=2) == Part(block, filters=2)


class Doubling:
    """A callable with state, whose method is one as well."""

    def __init__(self, times=2):
        self.times = times

    def __call__(self, x, *, filters: Count = 1):
        return self.grown(x, filters=filters)

    def grown(self, x, *, filters: Count = 1):
        return keras.layers.Conv2D(filters * self.times, 1)(x)


@pytest.mark.parametrize("thing", [Doubling(), Doubling().grown], ids=["instance", "method"])
def test_an_object_and_its_method_are_components(thing):
    assert applied(Part(thing, filters=4)) == (None, 8, 8, 8)
    with pytest.raises(ConfigError, match="no metaparameter"):
        Part(thing, units=4)
    with pytest.raises(ConfigError, match="can't take this filters"):
        Part(thing, filters=0)


def test_a_keras_layer_class_and_a_keras_layer_are_components():
    assert applied(Part(keras.layers.Conv2D, filters=4, kernel_size=3)) == (None, 6, 6, 4)
    layer = keras.layers.Conv2D(4, 3)
    part, x = Part(layer), keras.Input((8, 8, 3))
    part(part(x))  # another layer each time: neither the channels nor the weights clash
    assert not layer.built
    with pytest.raises(ConfigError, match=r"it takes: filters, kernel_size, .*name"):
        Part(keras.layers.Conv2D, filter=4)


def test_keras_initializers_and_activations_stay_what_they_are(tmp_path):
    dense = Part(
        keras.layers.Dense,
        units=3,
        activation=keras.activations.relu,
        kernel_initializer=keras.initializers.HeNormal(),
    )
    assert Part(free, value=keras.activations.relu).metaparameters["value"] is keras.activations.relu
    x = keras.Input((2,))
    model = keras.Model(x, dense(x))
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").layers[-1].activation is keras.activations.relu


def test_functions_in_tuples_and_options_become_parts():
    part = Part(free, value=(basic, Choice((basic, bottleneck))))
    assert part.metaparameters["value"] == (Part(basic), Choice((Part(basic), Part(bottleneck))))


def test_a_part_stays_as_it_is():
    part = Part(block, filters=3)
    with pytest.raises(TypeError):
        part.metaparameters["filters"] = 4
    assert part.replace(filters=4) == Part(block, filters=4)
    assert part == Part(block, filters=3)
    assert copy.deepcopy(part) == pickle.loads(pickle.dumps(part)) == part


def test_metaparameters_may_have_any_name():
    def odd(x, *, self=1, path=2, component=3, metaparameters=4):
        return x

    part = Part(odd, self=5, path=6, component=7, metaparameters=8)
    assert applied(part) == (None, 8, 8, 3)
    assert dict(part.metaparameters) == {"self": 5, "path": 6, "component": 7, "metaparameters": 8}


def test_a_part_prints_as_it_is_written():
    assert (
        repr(Part(classifier, classes=3, pool=pooled)) == "tasks.classifier(classes=3, pool=tasks.pooled())"
    )


BRICK = """
from composable.design import component

@component
def brick(x, *, units: int = 1):
    return x
"""


def module_source(name: str, tmp_path):
    path = tmp_path / f"{name}.py"
    path.write_text(BRICK)
    return path


def run(path, name):
    """What importing or reloading a file does."""
    namespace = {"__name__": name, "__file__": str(path)}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    return namespace["brick"]


@pytest.fixture
def registry():
    before = dict(COMPONENTS)
    yield COMPONENTS
    COMPONENTS.clear()
    COMPONENTS.update(before)


def test_a_file_that_is_run_again_replaces_its_components(registry, tmp_path):
    path = module_source("walls", tmp_path)
    before = run(path, "house.walls")
    after = run(path, "house.walls")
    assert registry["walls.brick"] is after is not before
    assert Part(before, units=2) == Part(after, units=2)
    assert hash(Part(before)) == hash(Part(after))
    assert is_registered(before)


def test_another_file_of_the_same_name_is_refused(registry, tmp_path):
    path = module_source("walls", tmp_path)
    first = run(path, "house.walls")
    with pytest.raises(
        ConfigError, match=r"(?s)There is one component named 'walls.brick'.*garden.walls.brick"
    ):
        run(path, "garden.walls")
    assert registry["walls.brick"] is first


def test_a_layer_class_can_be_registered(registry):
    @component
    class Scale(keras.layers.Layer):
        pass

    assert name_of(Scale) == "test_part.Scale"
    assert Part(Scale) == Part(Scale)
