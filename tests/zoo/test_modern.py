"""Families since 2019: counts and work as published, the same numbers as keras.applications."""

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError, DataError
from composable.design.building import outline, outlined
from composable.design.cost import cost
from composable.design.learners import drop_branch
from composable.zoo import catalog
from composable.zoo.catalog import architecture
from composable.zoo.convnext import convnext
from composable.zoo.efficientnet import efficientnet
from composable.zoo.fast_cifar import fast_cifar, whiten
from composable.zoo.vit import mlp_mixer, vit
from tests.zoo.graphs import copy_weights

apps = keras.applications
COUNTS = {  # total, trainable; K: as keras.applications prints them; = recomputed from the paper
    "efficientnet_b0": (5_330_571, 5_288_548),  # K
    "efficientnet_b7": (66_658_687, 66_347_960),  # K
    "convnext_tiny": (28_589_128, 28_589_128),  # K
    "convnext_small": (50_223_688, 50_223_688),  # K
    "convnext_base": (88_591_464, 88_591_464),  # K
    "convnext_large": (197_767_336, 197_767_336),  # K
    "convnext_xlarge": (350_196_968, 350_196_968),  # K
    "vit_ti16": (5_717_416, 5_717_416),  # =
    "vit_s16": (22_050_664, 22_050_664),  # =
    "vit_b16": (86_567_656, 86_567_656),  # TV
    "vit_b32": (88_224_232, 88_224_232),  # TV
    "vit_l16": (304_326_632, 304_326_632),  # TV
    "vit_l32": (306_535_400, 306_535_400),  # TV
    "vit_h14": (632_045_800, 632_045_800),  # TV
    "mixer_b16": (59_880_472, 59_880_472),  # =
    # whitening 288 and 24 biases, convolutions 1,967,616, normalizations 1,152 and 2,304, scores 2,560
    "fast_cifar": (1_973_944, 1_971_352),  # =
}
MIXERS = {"s32": 19, "s16": 18, "b32": 60, "b16": 59, "l32": 206, "l16": 207, "h14": 431}  # M, table 1
MILLIONS = {  # multiply-adds of one image, as the papers' tables have them
    "efficientnet_b0": 390,
    "efficientnet_b1": 700,
    "efficientnet_b2": 1_000,
    "efficientnet_b3": 1_800,
    "convnext_tiny": 4_500,
    "convnext_small": 8_700,
    "convnext_base": 15_400,
    "convnext_large": 34_400,
    "convnext_xlarge": 60_900,
    "fast_cifar": 118,  # 0.29 PFLOP for 8 epochs of 50,000 images, forward and back
}
APPLICATIONS = {
    **{f"efficientnet_b{n}": getattr(apps, f"EfficientNetB{n}") for n in range(8)},
    **{
        f"convnext_{size}": getattr(apps, f"ConvNeXt{name}")
        for size, name in (
            *(
                ("tiny", "Tiny"),
                ("small", "Small"),
                ("base", "Base"),
                ("large", "Large"),
                ("xlarge", "XLarge"),
            ),
        )
    },
}


def figures(model):
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return model.count_params(), trainable


def member(name):
    return outline(architecture(name), catalog.inputs_of(name))[0]


def of_kind(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


@pytest.mark.parametrize("name", COUNTS)
def test_a_published_member_has_the_published_count(name):
    assert figures(member(name)) == COUNTS[name]


@pytest.mark.parametrize("name", MIXERS)
def test_a_mixer_has_the_published_millions_without_its_scores(name):
    model = member(f"mixer_{name}")
    total = model.count_params() - model.get_layer("logits").count_params()
    assert abs(total / 1e6 - MIXERS[name]) < 1


@pytest.mark.parametrize("name", MILLIONS)
def test_a_published_member_does_the_published_work(name):
    assert cost(member(name)).multiply_adds / 1e6 == pytest.approx(MILLIONS[name], rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_variant_is_as_large_as_that_of_keras_applications(name):
    theirs = outlined(lambda: APPLICATIONS[name](weights=None))
    assert figures(member(name)) == figures(theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_b0", "convnext_tiny"])
def test_it_computes_what_keras_applications_computes(name):
    ours = architecture(name, classes=10).build((64, 64, 3))
    theirs = APPLICATIONS[name](weights=None, classes=10, input_shape=(64, 64, 3))
    copy_weights(ours, theirs)
    x = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    np.testing.assert_allclose(ours(x, training=False), theirs(x, training=False), atol=1e-4)


def test_efficientnet_grows_in_depth_and_width():
    model, trail = outline(efficientnet(filters=(16, 24), blocks=(1, 2), width=1.5, depth=1.2), (32, 32, 3))
    shapes = [step.output.shape[1:] for step in trail.steps if step.path.startswith("learner")]
    assert shapes == [(16, 16, 24), (8, 8, 40), (8, 8, 144)]
    assert len(of_kind(model, keras.layers.DepthwiseConv2D)) == 2 + 3


def test_efficientnets_gates_are_a_quarter_of_the_narrow_channels():
    model, _ = outline(efficientnet(filters=(16, 24), blocks=(1, 1)), (32, 32, 3))
    squeezed = [
        layer.filters
        for layer in of_kind(model, keras.layers.Conv2D)
        if layer.use_bias and layer.output.shape[1] == 1
    ]
    assert squeezed == [8, 32, 4, 96]


def test_later_blocks_are_skipped_more_often():
    model, _ = outline(convnext(filters=(8, 8), blocks=(2, 3), stochastic_depth=0.4), (32, 32, 3))
    rates = [layer.rate for layer in of_kind(model, keras.layers.Dropout)]
    np.testing.assert_allclose(rates, [0.1, 0.2, 0.3, 0.4])
    model, _ = outline(
        efficientnet(filters=(8, 8), blocks=(2, 2), stochastic_depth=0.4, dropout=0.0), (32, 32, 3)
    )
    rates = [layer.rate for layer in of_kind(model, keras.layers.Dropout)]
    np.testing.assert_allclose(rates, [0.1, 0.3])  # the third block strides: nothing to skip it for


def test_a_row_is_skipped_as_a_whole_while_training_alone():
    given = keras.Input((3, 3, 2))
    model = keras.Model(given, drop_branch(given, 0.5))
    x = np.ones((64, 3, 3, 2), "float32")
    per_row = np.asarray(model(x, training=True)).reshape(64, -1)
    assert set(np.unique(per_row)) == {0.0, 2.0}
    assert all(len(np.unique(row)) == 1 for row in per_row)
    np.testing.assert_array_equal(model(x, training=False), x)


def test_convnext_normalizes_once_per_block_and_scales_its_branch():
    model, trail = outline(convnext(filters=(8, 16), blocks=(1, 2), patch=2, scale=0.1), (16, 16, 3))
    shapes = [step.output.shape[1:] for step in trail.steps if step.path.startswith("learner")]
    assert shapes == [(8, 8, 8), (4, 4, 16)]
    assert (
        len(of_kind(model, keras.layers.LayerNormalization)) == 1 + 3 + 1 + 1
    )  # stem, blocks, between, pool
    assert [layer.kernel.shape for layer in of_kind(model, keras.layers.EinsumDense)] == [(8,), (16,), (16,)]
    bare, _ = outline(convnext(filters=(8,), blocks=(1,), scale=None), (16, 16, 3))
    assert not of_kind(bare, keras.layers.EinsumDense)


def small_vit(pool):
    return vit(patch=4, width=8, depth=1, heads=2, pool=pool, classes=3)


def test_a_class_token_lengthens_the_sequence_and_is_what_is_read():
    for pool, length in (("token", 5), ("average", 4)):
        model, _ = outline(small_vit(pool), (8, 8, 3))
        assert model.get_layer("encoding").output.shape[1:] == (length, 8)
        assert model.get_layer("embedding").output.shape[1:] == (8,)


def test_patches_are_told_apart_by_their_positions_alone():
    keras.utils.set_random_seed(0)
    model = small_vit("average").build((8, 8, 3))
    x = np.random.default_rng(0).uniform(0, 1, (1, 8, 8, 3)).astype("float32")
    swapped = np.concatenate([x[:, 4:], x[:, :4]], axis=1)
    table = model.get_layer("positions")
    table.set_weights([np.random.default_rng(1).normal(size=(4, 8))])
    assert not np.allclose(model.predict_on_batch(x), model.predict_on_batch(swapped), atol=1e-4)
    table.set_weights([np.zeros((4, 8))])
    np.testing.assert_allclose(model.predict_on_batch(x), model.predict_on_batch(swapped), atol=1e-6)


def test_a_mixers_layers_see_patches_and_channels():
    model, _ = outline(mlp_mixer(patch=4, width=8, depth=1, across_patches=5, across_channels=7), (8, 12, 3))
    kernels = [layer.kernel.shape for layer in of_kind(model, keras.layers.Dense)]
    assert kernels == [(6, 5), (5, 6), (8, 7), (7, 8), (8, 1000)]


def test_an_image_that_is_no_whole_number_of_patches_is_refused():
    for family in (vit, mlp_mixer):
        with pytest.raises(ConfigError, match="whole numbers of 16"):
            outline(family(), (40, 32, 3))
    with pytest.raises(ConfigError, match="heads don't divide"):
        outline(vit(patch=4, width=9, depth=1, heads=2), (8, 8, 3))


def test_fast_cifars_convolutions_begin_by_passing_on():
    model = fast_cifar(filters=(24, 32), depth=1).build((16, 16, 3))
    whitening, first, second = of_kind(model, keras.layers.Conv2D)
    assert not whitening.trainable_weights
    for conv, passed in ((first, 24), (second, 24)):
        kernel = np.asarray(conv.kernel)
        expected = np.zeros_like(kernel[..., :passed])
        expected[1, 1, range(passed), range(passed)] = 1
        np.testing.assert_array_equal(kernel[..., :passed], expected)
    assert np.abs(kernel[..., 24:]).max() > 0
    assert [
        weight.name for weight in of_kind(model, keras.layers.BatchNormalization)[0].trainable_weights
    ] == ["beta"]


def test_fast_cifar_96_closes_a_residual_branch_over_its_last_two_convolutions():
    deep, trail = outline(architecture("fast_cifar_96"), (32, 32, 3))
    assert len(of_kind(deep, keras.layers.Add)) == 3
    assert [step.output.shape[1:] for step in trail.steps if step.path.startswith("learner")] == [
        (15, 15, 128),
        (7, 7, 512),
        (3, 3, 512),
    ]
    assert not of_kind(member("fast_cifar_95"), keras.layers.Add)


def test_whitening_makes_directions_independent_and_survives_saving(tmp_path):
    rng = np.random.default_rng(0)
    rows, columns = rng.uniform(0, 255, (2, 300, 8, 8, 3))
    images = (rows.cumsum(axis=1) + columns.cumsum(axis=2)).astype("float32") / 8  # neighbors are alike
    images = (images - images.mean()) + 120
    model = fast_cifar(filters=(4,), classes=3).build((8, 8, 3))
    whiten(model, images)
    layer = model.get_layer("whitening")
    white = np.asarray(keras.Model(model.input, layer.output)(images)).reshape(-1, 24)
    covariance = white.T @ white / len(white)
    np.testing.assert_allclose(covariance[:12, :12], np.eye(12), atol=0.05)
    np.testing.assert_allclose(white[:, :12], -white[:, 12:], atol=1e-4)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.get_layer("whitening").kernel, layer.kernel)
    assert not again.get_layer("whitening").trainable


def test_whitening_says_what_it_needs():
    model = fast_cifar(filters=(4,), classes=3).build((8, 8, 3))
    with pytest.raises(DataError, match="as the model takes them"):
        whiten(model, np.zeros((4, 9, 9, 3)))
    given = keras.Input((2,))
    with pytest.raises(ConfigError, match="whitening"):
        whiten(keras.Model(given, keras.layers.Dense(1)(given)), np.zeros((4, 2)))
