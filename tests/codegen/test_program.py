"""Source of what a user composes: own functions, layers, classes, tasks that read taps."""

import ast
import re

import keras
import numpy as np
import pytest
from keras import layers, ops

from composable.codegen.layout import WIDTH, call, laid_out, literal, several
from composable.codegen.program import source
from composable.core.errors import ConfigError
from composable.design import Architecture, Choice, Input, Part, Task
from composable.design.learners import group
from composable.design.taps import tapped
from composable.design.tasks import classifier, regressor
from composable.zoo.resnet import bottleneck
from tests.codegen import own_components as own


def the_same(architecture: Architecture, inputs) -> str:
    """The source, once it was made sure that it builds the same model."""
    text = source(architecture, inputs, name="own")
    namespace = {"__name__": "emitted"}
    exec(compile(text, "emitted.py", "exec"), namespace)
    model, again = architecture.build(inputs), namespace["build"]()
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in model.weights]
    again.set_weights(model.get_weights())
    rng = np.random.default_rng(0)
    x = keras.tree.map_structure(lambda t: rng.uniform(0, 1, (2, *t.shape[1:])).astype(t.dtype), model.input)
    made = [keras.tree.flatten(each(x)) for each in (model, again)]
    for one, other in zip(*made, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert "composable" not in text
    assert max(map(len, text.splitlines())) <= WIDTH
    return text


def test_a_person_s_functions_with_what_they_refer_to():
    text = the_same(Architecture(learner=own.mixed, tasks=own.scored), (6, 6, 2))
    assert text.count("WIDTH, DEPTH = 4, 2") == 1
    assert "RATE = 0.5  # of what is dropped" in text
    assert "factor = 0.5  # a comment that stays" in text
    assert "RELU = partial(new_layer, layer=layers.ReLU)" in text
    assert "def own_components_conv(x, *, filters: int, activation=RELU):" in text
    assert "BLOCK = partial(own_components_conv, activation=partial(new_layer, layer=layers.ELU))" in text
    assert "def layers_conv(" in text  # two of one name: each has its module's before it
    assert "noqa" not in text


def test_functions_may_call_each_other():
    the_same(Architecture(learner=own.even, tasks=regressor), (3,))


def test_layers_and_layer_classes_are_parts():
    block = layers.Conv2D(4, 3, padding="same", kernel_initializer=keras.initializers.HeNormal(seed=1))
    architecture = Architecture(
        stem=(layers.Conv2D(2, 1, use_bias=False), Part(layers.ReLU)),
        learner=(Part(group, block=block, blocks=2, filters=4), own.Doubled),
        tasks=Part(classifier, classes=3, pool=layers.Flatten),
    )
    text = the_same(architecture, (4, 4, 2))
    assert "x = layers.Conv2D(filters=2, kernel_size=(1, 1), use_bias=False)(inputs)" in text
    assert "keras.initializers.HeNormal(seed=1)" in text
    assert "pool=partial(new_layer, layer=layers.Flatten)" in text
    assert "class Doubled(keras.layers.Layer):" in text


def test_several_inputs_and_tasks_that_read_taps():
    architecture = Architecture(
        learner=(lambda_free_sum, Part(tapped, name="middle"), Part(layers.Dense, units=3)),
        tasks=(
            Task(Part(regressor), name="age"),
            Task(Part(classifier, classes=2), name="sex", reads="middle"),
            Task(Part(regressor), name="late", reads="age/embedding"),
        ),
    )
    text = the_same(architecture, {"left": (3,), "right": Input((3,), dtype="int32")})
    assert 'keras.Model(inputs, [encoding, outputs["age"]]).get_layer("middle").output' in text


def lambda_free_sum(x):
    return layers.Add()([x["left"], ops.cast(x["right"], "float32")])


def test_metaparameters_that_are_the_default_are_left_out():
    architecture = Architecture(
        learner=Part(
            group, block=Part(bottleneck, expansion=4, use_bias=False), blocks=1, filters=4, strides=2
        ),
        tasks=Part(classifier, classes=2, dropout=0.0),
    )
    text = source(architecture, (8, 8, 3), name="own")
    assert "x = group(inputs, block=partial(bottleneck, use_bias=False), blocks=1, filters=4)" in text
    assert "outputs = classifier(encoding, classes=2)" in text


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (lambda x: x, "<lambda>"),
        (own.holding(2.0), "held, which holds factor"),
        (eval("lambda x: x"), "<lambda>"),
    ],
)
def test_functions_without_a_text_of_their_own_are_refused(part, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        source(Architecture(learner=part, tasks=regressor), (3,), name="own")


def test_a_function_of_no_file_is_refused():
    namespace = {"__name__": own.__name__}
    exec("def unwritten(x):\n    return x", namespace)
    with pytest.raises(ConfigError, match="written in a file"):
        source(Architecture(learner=namespace["unwritten"], tasks=regressor), (3,), name="own")


def test_what_is_open_has_no_source():
    with pytest.raises(ConfigError, match="nothing in it is open"):
        source(Architecture(learner=Choice((own.scored,)), tasks=regressor), (3,), name="own")


def test_long_calls_break_as_formatters_break_them():
    items = [f"argument_{number}=some_value_{number}" for number in range(8)]
    assert laid_out(call("f", "x")) == "f(x)"
    packed = laid_out(call("some_function_with_a_long_name", *items[:4]), 4)
    assert packed.splitlines()[1] == "        " + ", ".join(items[:4])
    exploded = laid_out(call("f", *items), 4).splitlines()
    assert exploded[1:-1] == [f"        {item}," for item in items]
    assert laid_out(several(["x"])) == "(x,)"


@pytest.mark.parametrize("value", [1e-5, "it's", 'say "yes"', "é\n", (1,), (), {"a": [1.5, None]}, True])
def test_literals_are_what_they_write(value):
    assert ast.literal_eval(laid_out(literal(value))) == value


def test_what_is_no_literal_is_refused():
    with pytest.raises(ConfigError, match="Source code can hold"):
        literal(np.zeros(2))
