"""Families for small devices: counts and work as published, the same numbers as keras.applications."""

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design.building import outline, outlined
from composable.design.cost import cost
from composable.design.layers import divisible
from composable.zoo import catalog
from composable.zoo.catalog import architecture
from composable.zoo.mobilenet import mobilenet_v1, mobilenet_v2, mobilenet_v3
from composable.zoo.shufflenet import shufflenet
from tests.zoo.graphs import copy_weights

apps = keras.applications
COUNTS = {  # total, trainable; K: as keras.applications prints them
    "mobilenet_v1": (4_253_864, 4_231_976),  # K
    "mobilenet_v2": (3_538_984, 3_504_872),  # K
    "mobilenet_v3_large": (5_507_432, 5_483_032),  # K
    "mobilenet_v3_small": (2_554_968, 2_542_856),  # K
    # = from the channels of table 1; the authors' code says 1.9M, 2.4M, 5.4M and 6.5M, without biases of the
    # scores (1,000 of them)
    "shufflenet_g3": (1_890_208, 1_865_728),
    "shufflenet_g8": (2_473_936, 2_434_768),
    "shufflenet_g3_200": (5_499_736, 5_450_776),
    "shufflenet_g8_200": (6_600_568, 6_522_232),
}
MILLIONS = {  # multiply-adds of one photo, as the papers' tables have them
    "mobilenet_v1": 569,  # tables 4 to 6
    "mobilenet_v1_075": 325,
    "mobilenet_v1_050": 149,
    "mobilenet_v1_025": 41,
    "mobilenet_v1_shallow": 307,
    "mobilenet_v2": 300,  # table 4
    "mobilenet_v2_140": 585,
    "mobilenet_v3_large": 219,  # table 3
    "mobilenet_v3_small": 56,
    "shufflenet_g1": 143,  # table 1
    "shufflenet_g2": 140,
    "shufflenet_g3": 137,
    "shufflenet_g4": 133,
    "shufflenet_g8": 137,
    "shufflenet_g3_200": 524,  # table 5 and the authors' code
    "shufflenet_g8_200": 522,
    "shufflenet_g3_150": 292,
    "shufflenet_g8_150": 290,
}
SCALED = {"050": 38, "025": 13}  # table 2: of ShuffleNets with scaled widths, one figure for all
APPLICATIONS = {
    **{
        f"mobilenet_v1{name}": (apps.MobileNet, {"alpha": alpha})
        for name, alpha in (("", 1.0), ("_075", 0.75), ("_050", 0.5), ("_025", 0.25))
    },
    **{
        f"mobilenet_v2{name}": (apps.MobileNetV2, {"alpha": alpha})
        for name, alpha in (
            *(("", 1.0), ("_035", 0.35), ("_050", 0.5), ("_075", 0.75), ("_130", 1.3), ("_140", 1.4)),
        )
    },
    **{
        f"mobilenet_v3_{size}{name}": (model, given)
        for size, model in (("large", apps.MobileNetV3Large), ("small", apps.MobileNetV3Small))
        for name, given in (("", {}), ("_075", {"alpha": 0.75}), ("_minimalistic", {"minimalistic": True}))
    },
}


def figures(model):
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return model.count_params(), trainable


def member(name):
    return outline(architecture(name), catalog.inputs_of(name))[0]


@pytest.mark.parametrize("name", COUNTS)
def test_a_published_member_has_the_published_count(name):
    assert figures(member(name)) == COUNTS[name]


@pytest.mark.parametrize("name", MILLIONS)
def test_a_published_member_does_the_published_work(name):
    assert cost(member(name)).multiply_adds / 1e6 == pytest.approx(MILLIONS[name], rel=0.012)


@pytest.mark.parametrize("scale", SCALED)
@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
def test_scaled_shufflenets_do_about_the_published_work(groups, scale):
    work = cost(member(f"shufflenet_g{groups}_{scale}")).multiply_adds / 1e6
    assert work == pytest.approx(SCALED[scale], rel=0.07)


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_variant_is_as_large_as_that_of_keras_applications(name):
    make, given = APPLICATIONS[name]
    theirs = outlined(lambda: make(weights=None, input_shape=(224, 224, 3), **given))
    assert figures(member(name)) == figures(theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small_minimalistic"]
)
def test_it_computes_what_keras_applications_computes(name):
    make, given = APPLICATIONS[name]
    ours = architecture(name, classes=10).build((64, 64, 3))
    theirs = make(weights=None, classes=10, input_shape=(64, 64, 3), **given)
    copy_weights(ours, theirs)
    x = np.random.default_rng(1).uniform(0, 1, (2, 64, 64, 3)).astype("float32")
    np.testing.assert_allclose(ours(x, training=False), theirs(x, training=False), atol=1e-4)


def test_widths_come_in_eights_and_lose_no_more_than_a_tenth():
    assert [divisible(width) for width in (1, 11, 12, 16 * 1.4, 24 * 0.35)] == [8, 16, 16, 24, 8]
    assert all(divisible(width) >= 0.9 * width for width in range(1, 200))


def test_mobilenet_v1_halves_the_image_in_every_group_but_the_first():
    model, trail = outline(mobilenet_v1(filters=(4, 8, 12), blocks=(1, 2, 1)), (32, 32, 3))
    shapes = [step.output.shape[1:] for step in trail.steps if step.path.startswith("learner")]
    assert shapes == [(16, 16, 4), (8, 8, 8), (4, 4, 12)]
    assert model.get_layer("depthwise_conv2d").output.shape[-1] == 2  # the stem has half as many channels


def test_mobilenet_v2_adds_where_shapes_allow_and_activates_no_narrow_layer():
    small = mobilenet_v2(filters=(8, 8), blocks=(1, 3), strides=(1, 2), expansion=3)
    model, trail = outline(small, (32, 32, 3))
    assert sum(isinstance(layer, keras.layers.Add) for layer in model.layers) == 2
    wide = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert wide == [16, 8, 24, 8, 24, 8, 24, 8, 32]  # the first block doesn't expand
    blocks = [block for step in trail.steps if step.path.startswith("learner.1") for block in step.steps]
    assert [isinstance(each.output._keras_history.operation, keras.layers.Activation) for each in blocks] == [
        False,
        False,
        False,
    ]


def test_mobilenet_v3_has_gates_and_activations_where_the_tables_have_them():
    for size, gates, swish in (("large", 8, 9), ("small", 9, 8)):
        model, _ = outline(mobilenet_v3(size=size), (224, 224, 3))
        assert sum(isinstance(layer, keras.layers.Multiply) for layer in model.layers) == gates
        activations = [layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")]
        assert activations.count("hard_sigmoid") == gates
        assert activations.count("hard_silu") == 2 * swish + 3  # stem, last convolution, embedding
    plain, _ = outline(mobilenet_v3(size="large", minimalistic=True), (224, 224, 3))
    assert not any(isinstance(layer, keras.layers.Multiply) for layer in plain.layers)


def test_mobilenet_v3_groups_its_blocks_by_the_size_of_their_images():
    for size, expected in (("large", [1, 2, 3, 6, 3]), ("small", [1, 2, 5, 3])):
        *found, _ = mobilenet_v3(size=size).learner
        assert [len(each) for each in found] == expected


def test_shufflenet_concatenates_where_it_strides_and_adds_elsewhere():
    small = shufflenet(groups=2, stem_filters=4, filters=(16, 32), blocks=(3, 2))
    model, trail = outline(small, (32, 32, 3))
    kinds = [
        type(layer).__name__
        for layer in model.layers
        if isinstance(layer, keras.layers.Add | keras.layers.Concatenate)
    ]
    assert kinds == ["Concatenate", "Add", "Add", "Concatenate", "Add"]
    groups = [layer.groups for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert groups == [1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]  # stem and the first 1x1 see all channels
    assert [step.output.shape[1:] for step in trail.steps if step.path.startswith("learner.1")] == [
        (2, 2, 32),
        (2, 2, 32),
    ]


def test_shuffling_takes_the_groups_in_turn():
    from composable.zoo.shufflenet import _shuffled

    given = keras.Input((1, 1, 6))
    model = keras.Model(given, _shuffled(given, 3))
    x = np.arange(6, dtype="float32").reshape(1, 1, 1, 6)
    np.testing.assert_array_equal(np.ravel(model(x)), [0, 2, 4, 1, 3, 5])


def test_what_cannot_be_built_says_so():
    with pytest.raises(ConfigError, match="alpha"):
        architecture("mobilenet_v1", alpha=0.0)
    with pytest.raises(ConfigError, match="group"):
        mobilenet_v1(filters=(8, 8), blocks=(1,))
    with pytest.raises(ConfigError, match="group"):
        shufflenet(filters=(8, 16), blocks=(2,))
    narrow = shufflenet(groups=2, stem_filters=4, filters=(16, 16), blocks=(2, 2))
    with pytest.raises(ConfigError, match=r"learner.1.0.*can't make 16 channels of 16"):
        outline(narrow, (32, 32, 3))
