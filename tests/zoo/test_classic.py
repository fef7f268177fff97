"""The families before residual networks, and after Inception: counts and structure as published."""

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design.building import outline
from composable.design.taps import tap
from composable.zoo.alexnet import alexnet, zfnet
from composable.zoo.catalog import architecture, inputs_of
from composable.zoo.inception import inception
from composable.zoo.inception_v3 import inception_v3
from composable.zoo.squeezenet import squeezenet
from composable.zoo.vgg import vgg
from composable.zoo.xception import xception
from tests.zoo.graphs import copy_weights

COUNTS = {  # total, trainable; K: as keras.applications prints them, TV: as torchvision, P: from the paper
    "alexnet": (62_378_344, 62_378_344),  # P without towers
    "alexnet_two_towers": (60_965_224, 60_965_224),  # P
    "zfnet": (62_357_608, 62_357_608),  # P
    "vgg11": (132_863_336, 132_863_336),  # TV
    "vgg13": (133_047_848, 133_047_848),  # TV
    "vgg16": (138_357_544, 138_357_544),  # K
    "vgg19": (143_667_240, 143_667_240),  # K
    "inception_v1": (6_998_552, 6_998_552),  # P, with biases
    "inception_v1_auxiliary": (13_378_280, 13_378_280),  # P, with biases
    "inception_v2": (6_639_464, 6_624_904),  # TV
    "inception_v2_auxiliary": (13_019_960, 13_004_888),  # TV
    "inception_v3": (23_851_784, 23_817_352),  # K
    "inception_v3_auxiliary": (
        27_179_376,
        27_143_152,
    ),  # TV 27,161,264, which has 18,112 scales of norms more
    "xception": (22_910_480, 22_855_952),  # K
    "squeezenet": (1_248_424, 1_248_424),  # P, TV
    "squeezenet_bypass": (1_248_424, 1_248_424),  # P
    "squeezenet_complex": (1_589_672, 1_589_672),  # P
    "squeezenet_v1_1": (1_235_496, 1_235_496),  # TV
}
THEIRS = {  # name -> keras.applications' function, the side of a small image
    "vgg16": ("VGG16", 32),
    "vgg19": ("VGG19", 32),
    "inception_v3": ("InceptionV3", 75),
    "xception": ("Xception", 71),
}


def shapes(model, *kinds):
    """What the layers of these kinds give, in the order in which they were built."""
    return [layer.output.shape[1:] for layer in model.layers if isinstance(layer, kinds)]


@pytest.mark.parametrize("name", COUNTS)
def test_a_published_member_has_the_published_count(name):
    model, _ = outline(architecture(name), inputs_of(name))
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert (model.count_params(), trainable) == COUNTS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", THEIRS)
def test_it_computes_what_keras_applications_computes(name):
    function, side = THEIRS[name]
    ours = architecture(name, classes=10).build((side, side, 3))
    theirs = getattr(keras.applications, function)(weights=None, classes=10, input_shape=(side, side, 3))
    copy_weights(ours, theirs)
    x = np.random.default_rng(1).uniform(0, 1, (2, side, side, 3)).astype("float32")
    np.testing.assert_allclose(ours(x, training=False), theirs(x, training=False), atol=1e-4)


def test_alexnet_shrinks_its_images_as_in_the_paper():
    model, _ = outline(alexnet(filters=(2, 2, 2, 2, 2), nodes=(4,)), (224, 224, 3))
    assert shapes(model, keras.layers.Conv2D) == [
        (55, 55, 2), (27, 27, 2), (13, 13, 2), (13, 13, 2), (13, 13, 2),
    ]  # fmt: skip
    assert tap(model, "encoding").output.shape[1:] == (6, 6, 2)


def test_the_towers_of_alexnet_meet_in_the_third_convolution():
    model, _ = outline(alexnet(filters=(2, 4, 4, 4, 4), towers=2, nodes=(4,)), (63, 63, 3))
    assert [each.groups for each in model.layers if isinstance(each, keras.layers.Conv2D)] == [1, 2, 1, 2, 2]
    with pytest.raises(ConfigError, match="Every tower has as many filters"):
        alexnet(filters=(4, 6, 4, 4, 5), towers=2)


def test_zfnet_shrinks_its_images_as_in_figure_3():
    model, _ = outline(zfnet(filters=(2, 2, 2, 2, 2), nodes=(4,)), (224, 224, 3))
    assert shapes(model, keras.layers.Conv2D)[:2] == [(110, 110, 2), (26, 26, 2)]
    assert [s[0] for s in shapes(model, keras.layers.MaxPooling2D)] == [55, 13, 6]


def test_response_normalization_is_that_of_the_paper():
    model = alexnet(filters=(6, 2, 2, 2, 2), nodes=(4,)).build((63, 63, 3))
    (before,) = (
        each.output for each in model.layers if each.name.startswith("conv2d") and each.output.shape[-1] == 6
    )
    (after,) = (each.input for each in model.layers if "pooling" in each.name and each.output.shape[-1] == 6)
    x = np.random.default_rng(0).uniform(-90, 90, (1, 63, 63, 3)).astype("float32")
    a, b = (np.asarray(each) for each in keras.Model(model.input, [before, after])(x))
    for i in range(6):  # section 3.3, in its own letters
        strength = (a[..., max(0, i - 2) : min(5, i + 2) + 1] ** 2).sum(axis=-1)
        np.testing.assert_allclose(b[..., i], a[..., i] / (2 + 1e-4 * strength) ** 0.75, rtol=1e-4, atol=1e-4)


def test_a_group_of_vgg_halves_the_image():
    model, _ = outline(vgg(convolutions=(1, 2, 3), filters=(2, 3, 4), nodes=(5,)), (16, 16, 3))
    assert shapes(model, keras.layers.MaxPooling2D) == [(8, 8, 2), (4, 4, 3), (2, 2, 4)]
    assert len(shapes(model, keras.layers.Conv2D)) == 6
    assert tap(model, "embedding").output.shape == (None, 5)


def test_groups_that_do_not_match_are_named():
    with pytest.raises(ConfigError, match="convolutions and filters hold one value per group each"):
        vgg(convolutions=(1, 2), filters=(8,))


def test_inception_modules_are_those_of_table_1():
    model, _ = outline(inception(), (224, 224, 3))
    assert shapes(model, keras.layers.Concatenate) == [
        (28, 28, 256), (28, 28, 480),
        (14, 14, 512), (14, 14, 512), (14, 14, 512), (14, 14, 528), (14, 14, 832),
        (7, 7, 832), (7, 7, 1024),
    ]  # fmt: skip
    kernels = [each.kernel_size for each in model.layers if isinstance(each, keras.layers.Conv2D)]
    assert kernels.count((5, 5)) == 9


def test_auxiliary_classifiers_read_4a_and_4d():
    row = (2, (2, 2), (2, 2), 2)
    model, _ = outline(
        inception(groups=((row,), (row, row, row, row)), auxiliary=True, classes=3), (224, 224, 3)
    )
    assert sorted(model.output) == ["auxiliary_1", "auxiliary_2", "main"]
    modules = [each for each in model.layers if isinstance(each, keras.layers.Concatenate)]
    for name, module in (("inception_4a", modules[1]), ("inception_4d", modules[4])):
        assert model.get_layer(name).input is module.output
    with pytest.raises(ConfigError, match="first and the fourth module"):
        inception(groups=((row,), (row, row, row)), auxiliary=True)


def test_inception_v3_shrinks_its_images_as_in_table_1():
    model, _ = outline(
        inception_v3(pools=(8,), sevens=(8,), last=1, width=1 / 16, auxiliary=True), (299, 299, 3)
    )
    sides = [height for height, _, _ in shapes(model, keras.layers.Concatenate)]
    assert sides == [35, 17, 17, 8, 8, 8, 8]
    assert model.get_layer("inception_17x17").output.shape[1:3] == (17, 17)
    assert tap(model, "auxiliary/embedding").output.shape == (None, 48)


def test_squeezenet_adds_only_where_the_channels_agree():
    added = {}
    for bypass in (None, "simple", "complex"):
        model, _ = outline(squeezenet(groups=((2, 2, 4, 4),), filters=4, bypass=bypass), (32, 32, 3))
        added[bypass] = len(shapes(model, keras.layers.Add))
    assert added == {None: 0, "simple": 2, "complex": 4}


def test_squeezenet_shrinks_its_images_as_in_table_1():
    model, _ = outline(squeezenet(groups=((2,), (2,), (2,)), filters=2), (224, 224, 3))
    assert shapes(model, keras.layers.Conv2D)[0][0] == 111
    assert [s[0] for s in shapes(model, keras.layers.MaxPooling2D)] == [55, 27, 13]


def test_xception_rectifies_before_every_separable_convolution_but_the_first():
    model, _ = outline(
        xception(stem_filters=(2, 4), entry=(4, 6), blocks=1, exit_filters=(8, 8, 10)), (64, 64, 3)
    )
    separable = [each for each in model.layers if isinstance(each, keras.layers.SeparableConv2D)]
    assert [each.filters for each in separable] == [4, 4, 6, 6, 6, 6, 6, 6, 8, 8, 10]
    assert len(shapes(model, keras.layers.Add)) == 4
    assert tap(model, "encoding").output.shape[1:] == (4, 4, 10)
