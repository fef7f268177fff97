"""Families that hand on what they are given: counts as published, structure as in the papers."""

import math

import keras
import numpy as np
import pytest
from keras import layers

from composable.core.errors import ConfigError
from composable.design import Architecture, Part
from composable.design.building import outline
from composable.design.layers import squeeze_excite
from composable.zoo.catalog import architecture, inputs_of
from composable.zoo.densenet import dense_block, densenet
from composable.zoo.resnet import resnet, resnet_v2
from composable.zoo.resnet_cifar import basic, resnet_cifar, resnet_cifar_v2, wrn
from composable.zoo.resnext import resnext, resnext_cifar
from composable.zoo.seed import jumpnet
from composable.zoo.senet import se_resnet
from tests.zoo.graphs import copy_weights

COUNTS = {  # total, trainable; K: as keras.applications prints them, TV: as torchvision, =: by arithmetic
    "resnet18": (11_699_112, 11_689_512),  # TV
    "resnet34": (21_814_696, 21_797_672),  # TV
    "resnet50": (25_636_712, 25_583_592),  # K
    "resnet101": (44_707_176, 44_601_832),  # K
    "resnet152": (60_419_944, 60_268_520),  # K
    "resnet50_v1_5": (25_610_152, 25_557_032),  # TV
    "resnet101_v1_5": (44_654_504, 44_549_160),  # TV
    "resnet152_v1_5": (60_344_232, 60_192_808),  # TV
    "resnet50_v2": (25_613_800, 25_568_360),  # K
    "resnet101_v2": (44_675_560, 44_577_896),  # K
    "resnet152_v2": (60_380_648, 60_236_904),  # K
    "resnet20_cifar": (271_098, 269_722),  # = with option A, as below
    "resnet32_cifar": (466_426, 464_154),
    "resnet44_cifar": (661_754, 658_586),
    "resnet56_cifar": (857_082, 853_018),
    "resnet110_cifar": (1_736_058, 1_727_962),
    "se_resnet50": (28_141_144, 28_088_024),  # =
    "se_resnet101": (49_432_216, 49_326_872),  # =
    "se_resnet152": (66_973_272, 66_821_848),  # =
    "resnext50": (25_097_128, 25_028_904),  # TV
    "resnext101": (44_315_560, 44_177_704),  # =
    "resnext152": (60_150_696, 59_951_400),  # =
    "resnext101_64x4d": (83_658_152, 83_455_272),  # TV
    "se_resnext50": (27_628_120, 27_559_896),  # =
    "se_resnext101": (49_093_272, 48_955_416),  # =
    "wrn_28_10": (36_497_146, 36_479_194),  # = here and below
    "wrn_40_4": (8_959_994, 8_949_210),
    "wrn_16_8": (10_968_570, 10_961_370),
    "wrn_16_4": (2_752_506, 2_748_890),
    "jumpnet50": (15_626_184, 15_599_496),  # = from the author's code
    "jumpnet_cifar": (816_122, 810_714),  # = from the author's code
    "densenet121": (8_062_504, 7_978_856),  # K
    "densenet161": (28_900_936, 28_681_000),  # TV
    "densenet169": (14_307_880, 14_149_480),  # K
    "densenet201": (20_242_984, 20_013_928),  # K
}
WITHOUT_BIAS = {  # trainable
    "resnet50": ({"use_bias": False}, 25_557_032),  # TV
    "se_resnet50": ({"squeeze_bias": False}, 28_071_976),  # = here and below
    "se_resnet101": ({"squeeze_bias": False}, 49_292_328),
    "se_resnet152": ({"squeeze_bias": False}, 66_770_984),
    "se_resnext50": ({"squeeze_bias": False}, 27_543_848),
}
MILLIONS = {  # as the papers' tables round them
    "resnet1202_cifar": 19.4,  # He et al. 2015, table 6
    "wrn_40_1": 0.6,  # Zagoruyko & Komodakis 2016, table 4
    "wrn_40_2": 2.2,
    "wrn_40_8": 35.7,
    "wrn_28_12": 52.5,
    "wrn_22_8": 17.2,
    "wrn_22_10": 26.8,
    "wrn_16_10": 17.1,
}
MILLIONS_BESIDE_NORMS = {  # these two papers' figures hold without what normalizations learn, not with it
    "resnet164_cifar_v2": 1.7,  # He et al. 2016, table 4
    "resnet1001_cifar_v2": 10.2,
    "resnext29_cifar": 34.4,  # Xie et al. 2017, table 7
    "resnext29_16x64d_cifar": 68.1,
}
SHAPES = {  # what each group gives
    "resnet50": ["56x56x256", "28x28x512", "14x14x1024", "7x7x2048"],
    "resnet50_v2": ["28x28x256", "14x14x512", "7x7x1024", "7x7x2048"],
    "resnext50": ["56x56x256", "28x28x512", "14x14x1024", "7x7x2048"],
    "resnet20_cifar": ["32x32x16", "16x16x32", "8x8x64"],
    "resnet20_cifar_v2": ["32x32x64", "16x16x128", "8x8x256"],
    "resnext29_cifar": ["32x32x256", "16x16x512", "8x8x1024"],
    "wrn_16_4": ["32x32x64", "16x16x128", "8x8x256"],
    "jumpnet_cifar": ["16x16x64", "8x8x128", "4x4x256"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_a_published_member_has_the_published_count(name):
    model = outlined(architecture(name), inputs_of(name))
    assert (model.count_params(), trainable(model)) == COUNTS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_BIAS)
def test_biases_can_be_left_out(name):
    metaparameters, count = WITHOUT_BIAS[name]
    assert trainable(outlined(architecture(name, **metaparameters), inputs_of(name))) == count


@pytest.mark.slow
@pytest.mark.parametrize("name", MILLIONS)
def test_a_published_member_has_the_count_that_the_paper_rounds(name):
    model = outlined(architecture(name), inputs_of(name))
    assert round(trainable(model) / 1e6, 1) == MILLIONS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", MILLIONS_BESIDE_NORMS)
def test_a_published_member_has_the_count_that_the_paper_rounds_without_normalizations(name):
    model = outlined(architecture(name), inputs_of(name))
    assert round(trainable(model, beside=("gamma", "beta")) / 1e6, 1) == MILLIONS_BESIDE_NORMS[name]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("resnet50", keras.applications.ResNet50),
        ("resnet50_v2", keras.applications.ResNet50V2),
        ("densenet121", keras.applications.DenseNet121),
    ],
)
def test_it_computes_what_keras_applications_computes(name, theirs):
    ours = architecture(name, classes=10).build((64, 64, 3))
    theirs = theirs(weights=None, classes=10, input_shape=(64, 64, 3))
    copy_weights(ours, theirs)
    x = np.random.default_rng(1).uniform(0, 1, (2, 64, 64, 3)).astype("float32")
    np.testing.assert_allclose(ours(x, training=False), theirs(x, training=False), atol=1e-4)


@pytest.mark.parametrize("name", SHAPES)
def test_groups_give_the_shapes_of_the_paper(name):
    trail = outline(architecture(name), inputs_of(name))[1]
    groups = [step for step in trail.steps if step.part and "blocks" in step.part.metaparameters]
    assert [size(step) for step in groups] == SHAPES[name]


@pytest.mark.parametrize(
    ("made", "kernels"),
    [
        (resnet(blocks=(1, 1), filters=(4, 8)), [1, 1]),
        (resnet(blocks=(1, 1), filters=(4, 8), version="v1_5"), [1, 3]),
        (resnet(blocks=(1, 1), filters=(4, 8), depth=34), [1, 3]),
        (resnet_v2(blocks=(2, 1), filters=(4, 8)), [3]),
        (resnet_cifar(blocks=(1, 1), filters=(4, 8)), [3]),
        (resnet_cifar_v2(blocks=(1, 1), filters=(4, 8)), [1, 1]),
        (se_resnet(blocks=(1, 1), filters=(4, 8)), [1, 1]),
        (resnext(blocks=(1, 1), filters=(16, 32), cardinality=2), [1, 3]),
        (wrn(blocks=(1, 1), filters=(4, 8)), [1, 3]),
        (jumpnet(blocks=(1,), filters=(4, 8), strides=1), [1, 1]),
    ],
)
def test_the_stride_is_where_the_paper_or_its_code_has_it(made, kernels):
    strided = [
        layer.kernel_size[0]
        for layer in of_kind(outlined(made, (32, 32, 3)), layers.Conv2D)
        if layer.strides[0] > 1 and layer.kernel_size[0] < 7  # which is in the stem
    ]
    assert sorted(strided) == kernels


def test_depth_is_the_number_of_layers_with_weights():
    for depth, made, projections in (
        (50, resnet(), 4),
        (34, resnet(depth=34), 3),
        (50, resnet_v2(), 4),
        (20, resnet_cifar(), 0),
        (20, resnet_cifar_v2(), 3),
        (29, resnext_cifar(), 3),
        (16, wrn(depth=16, width=2), 1),  # its paper counts projections, and the dense layer not
        (121, densenet(), 0),
    ):
        model = outlined(made, (32, 32, 3))
        weighted = of_kind(model, layers.Conv2D) + of_kind(model, layers.Dense)
        assert len(weighted) - projections == depth


def test_the_last_block_of_a_group_strides_in_version_2():
    trail = outline(resnet_v2(blocks=(3, 1), filters=(4, 8)), (32, 32, 3))[1]
    group = next(step for step in trail.steps if step.path == "learner.0")
    assert [size(block) for block in group.steps] == ["8x8x16", "8x8x16", "4x4x16"]


def test_option_a_skips_pixels_and_pads_channels_with_zeros():
    given = keras.Input((5, 5, 2))
    block = keras.Model(given, basic(given, filters=4, strides=2))
    norms = of_kind(block, layers.BatchNormalization)
    norms[-1].gamma.assign(np.zeros(4))  # nothing but the shortcut is left
    x = np.random.default_rng(0).uniform(0, 1, (2, 5, 5, 2)).astype("float32")
    wanted = np.concatenate([x[:, ::2, ::2], np.zeros((2, 3, 3, 2))], axis=-1)
    np.testing.assert_array_equal(block(x), wanted)


def test_channels_that_cannot_be_padded_name_the_block():
    with pytest.raises(ConfigError, match=r"learner\.1\.block\[0\].*8 channels"):
        outline(resnet_cifar(blocks=(1, 1), filters=(8, 4)), (8, 8, 3))


@pytest.mark.parametrize("family", [resnet_cifar, resnet_cifar_v2, resnext_cifar, wrn])
@pytest.mark.parametrize("depth", [1, 2, 4, 33])
def test_a_depth_that_no_number_of_blocks_gives_is_refused(family, depth):
    with pytest.raises(ConfigError, match=f"depth={depth}"):
        family(depth=depth)


def test_as_many_numbers_of_blocks_as_of_filters():
    with pytest.raises(ConfigError, match="filters"):
        resnet(blocks=(1, 1, 1))


def test_a_network_has_a_group():
    with pytest.raises(ConfigError, match="at least 1 item"):
        architecture("resnet", filters=())


def test_squeeze_and_excitation_weighs_each_channel():
    keras.utils.set_random_seed(0)  # without it, no unit may be awake
    given = keras.Input((3, 3, 8))
    model = keras.Model(given, squeeze_excite(given, ratio=2))
    x = np.random.default_rng(0).uniform(1, 2, (2, 3, 3, 8)).astype("float32")
    weights = np.asarray(model(x)) / x
    np.testing.assert_allclose(weights, np.broadcast_to(weights[:, :1, :1], x.shape), rtol=1e-5)
    assert 0 < weights.min() < weights.max() < 1
    assert [layer.units for layer in of_kind(model, layers.Dense)] == [4, 8]


def test_channels_are_weighed_before_the_block_adds():
    model = outlined(se_resnet(blocks=(1,), filters=(4,)), (16, 16, 3))
    (weighed,) = of_kind(model, layers.Multiply)
    (added,) = of_kind(model, layers.Add)
    assert any(tensor is weighed.output for tensor in added.input)


def test_paths_get_wider_from_group_to_group_and_stay_as_many():
    model = outlined(resnext(blocks=(1, 1), filters=(16, 32), cardinality=4, width=3), (32, 32, 3))
    paths = [layer for layer in of_kind(model, layers.Conv2D) if layer.groups > 1]
    assert [(layer.groups, layer.filters, layer.kernel_size) for layer in paths] == [
        (4, 12, (3, 3)),
        (4, 24, (3, 3)),
    ]


def test_wrn_drops_between_the_convolutions_of_a_block():
    model = outlined(wrn(blocks=(1,), filters=(4,), width=2, dropout=0.5), (8, 8, 3))
    (dropout,) = of_kind(model, layers.Dropout)
    before, after = (model.layers[model.layers.index(dropout) + step] for step in (-1, 1))
    assert isinstance(before, layers.Activation)
    assert isinstance(after, layers.Conv2D)
    assert not of_kind(outlined(wrn(blocks=(1,), filters=(4,)), (8, 8, 3)), layers.Dropout)


def test_a_jump_link_goes_around_all_blocks_of_its_group():
    model, trail = outline(jumpnet(blocks=(2, 1), filters=(4, 8)), (16, 16, 3))
    stem, first, *_ = trail.steps
    joined = of_kind(model, layers.Concatenate)[0]
    jump = keras.Model(stem.output, joined.input[0])
    assert [each.shape for each in joined.input] == [(None, 4, 4, 8)] * 2
    assert first.output is joined.output
    assert len(of_kind(jump, layers.Conv2D)) == 1
    assert not of_kind(jump, layers.Activation)


def test_a_dense_block_keeps_what_it_is_given_beside_what_it_adds():
    given = keras.Input((4, 4, 6))
    block = keras.Model(given, dense_block(given, growth=3))
    x = np.random.default_rng(0).uniform(-1, 1, (2, 4, 4, 6)).astype("float32")
    y = np.asarray(block(x))
    assert y.shape == (2, 4, 4, 9)
    np.testing.assert_array_equal(y[..., :6], x)


def test_densenet_passes_on_the_share_of_channels_that_reduction_says():
    trail = outline(densenet(blocks=(2, 1), growth=4, reduction=0.25), (32, 32, 3))[1]
    sizes = [size(step) for step in trail.steps if step.path.startswith("learner")]
    assert sizes == ["8x8x16", "4x4x4", "4x4x8", "4x4x8"]


def test_a_block_of_ones_own_takes_the_place_of_the_published():
    def plain(x, *, filters, strides=1):
        return layers.Conv2D(filters, 3, strides, padding="same", activation="relu")(x)

    model = outlined(resnet(block=plain, blocks=(1, 2), filters=(4, 8), classes=3), (32, 32, 3))
    assert len(of_kind(model, layers.Conv2D)) == 4
    assert isinstance(resnet_cifar(block=Part(plain)), Architecture)


def outlined(made: Architecture, inputs) -> keras.Model:
    return outline(made, inputs)[0]


def of_kind(model: keras.Model, kind: type) -> list:
    return [layer for layer in model.layers if type(layer) is kind]


def size(step) -> str:
    return "x".join(map(str, step.output.shape[1:]))


def trainable(model: keras.Model, beside: tuple[str, ...] = ()) -> int:
    weights = (weight for weight in model.trainable_weights if weight.name not in beside)
    return sum(math.prod(weight.shape) for weight in weights)
