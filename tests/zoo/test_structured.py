"""Families that are not a line: counts as published, and what is wired to what."""

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design.part import Part
from composable.design.taps import tap
from composable.zoo.catalog import architecture, inputs_of
from composable.zoo.faster_rcnn import faster_rcnn, proposals
from composable.zoo.unet import normalized_convolutions, unet

COUNTS = {  # total, trainable; = recomputed from the paper
    "unet": (31_030_658, 31_030_658),  # = one channel, two classes
    "unet_same": (31_030_658, 31_030_658),  # = padding has no weights
    "siamese_twin": (38_951_745, 38_951_745),  # = figure 4, one trunk
    "dense_autoencoder": (484_944, 484_944),  # = 784-256-128-64 and back
    "dense_autoencoder_2006": (2_837_314, 2_837_314),  # = 784-1000-500-250-30 and back
    "conv_autoencoder": (50_371, 49_955),  # = 3-64-32-16 and back, normalized
    "srcnn": (8_129, 8_129),  # = 8,032 weights (table 3) and 97 biases
    "srcnn_9_3_5": (24_513, 24_513),  # = 24,416 weights and 97 biases
    "srcnn_9_5_5": (57_281, 57_281),  # = 57,184 weights and 97 biases
    "srcnn_post": (8_129, 8_129),  # = SRCNN's, its last convolution transposed
    "fsrcnn": (12_809, 12_809),  # = 12,464 weights (table 1), 173 biases, 172 slopes
    "espcn": (22_729, 22_729),  # = 5-3-3 with 64, 32 and 9 maps
    "dcgan_generator": (18_858_880, 18_855_040),  # = figure 1, without biases
    "dcgan_discriminator": (17_236_352, 17_232_768),  # = its mirror image
    "faster_rcnn": (137_078_239, 137_078_239),  # = VGG16, 9 anchors, 21 classes
}


def counted(model):
    return model.count_params(), sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def shapes(model):
    return [tuple(layer.output.shape[1:]) for layer in model.layers if hasattr(layer.output, "shape")]


def near(shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_a_published_member_has_the_published_count(name):
    assert counted(architecture(name).build(inputs_of(name))) == COUNTS[name]


@pytest.mark.slow
def test_a_dcgan_of_half_the_width_and_4x4_kernels_counts_as_pytorchs_example():
    generator = architecture("dcgan_generator", filters=(512, 256, 128, 64), kernel_size=4).build((100,))
    assert counted(generator)[1] == 3_576_704
    discriminator = architecture("dcgan_discriminator", filters=(64, 128, 256, 512), kernel_size=4)
    assert counted(discriminator.build((64, 64, 3)))[1] == 2_765_568


def small_unet(size, **metaparameters):
    return unet(**{"filters": (2, 2, 2), **metaparameters}).build((*size, 1))


@pytest.mark.slow
def test_unet_reads_as_figure_1():
    model = architecture("unet", filters=(2, 2, 2, 2, 2)).build((572, 572, 1))
    sides = [shape[0] for shape in shapes(model)]
    assert sides == [
        *(572, 570, 568),
        *(284, 282, 280),
        *(140, 138, 136),
        *(68, 66, 64),
        *(32, 30, 28, 28),  # the last is dropout
        *(56, 56, 56, 54, 52),  # up, cropped, beside the skip, two convolutions
        *(104, 104, 104, 102, 100),
        *(200, 200, 200, 198, 196),
        *(392, 392, 392, 390, 388),
        *(388, 388, 388),  # the encoding, logits, probabilities
    ]


def test_an_unpadded_unet_segments_the_middle_and_crops_its_skips_around_it():
    model = small_unet((44, 60))  # 44: 40, 20, 16, 8, 4; up 8, 4; up 8, 4
    assert model.output.shape == (None, 4, 20, 2)
    crops = [layer.cropping for layer in model.layers if isinstance(layer, keras.layers.Cropping2D)]
    assert crops == [((4, 4), (4, 4)), ((16, 16), (16, 16))]


@pytest.mark.parametrize("size", [(44, 46), (42, 44)])
def test_an_unpadded_unet_refuses_sides_that_become_odd_by_place(size):
    with pytest.raises(ConfigError, match=r"`learner\.1` doesn't fit.*every level needs even sides"):
        small_unet(size)


def test_a_padded_unet_segments_images_of_any_size_up_to_their_border():
    assert small_unet((13, 10), padding="same").output.shape == (None, 13, 10, 2)
    assert small_unet((None, None), padding="same").output.shape == (None, None, None, 2)


def test_a_unets_skips_reach_the_level_they_left_and_none_is_left_over():
    model = small_unet((8, 8), padding="same", filters=(2, 3, 4))
    joined = [layer for layer in model.layers if isinstance(layer, keras.layers.Concatenate)]
    assert [[tuple(t.shape[1:]) for t in layer.input] for layer in joined] == [
        [(4, 4, 3), (4, 4, 3)],
        [(8, 8, 2), (8, 8, 2)],
    ]
    assert tuple(tap(model, "encoding").output.shape) == (None, 8, 8, 2)


def test_a_unet_takes_another_block_on_every_level():
    model = small_unet((8, 8), padding="same", block=normalized_convolutions)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("BatchNormalization") == kinds.count("Conv2D") - 1 == 10


def test_siamese_twins_are_symmetric_and_one_and_the_same_are_at_no_distance():
    inputs = {"left": (12, 12, 1), "right": (12, 12, 1)}
    model = architecture("siamese_twin", convolutions=((2, 3), (3, 3)), units=4).build(inputs)
    assert counted(model)[0] == 20 + 57 + (3 * 3 * 3 * 4 + 4) + 5  # one trunk, one scoring node
    one, other = near((2, 12, 12, 1)), near((2, 12, 12, 1), seed=1)
    np.testing.assert_array_equal(model({"left": one, "right": other}), model({"left": other, "right": one}))
    np.testing.assert_array_equal(tap(model, "embedding")({"left": one, "right": one}), np.zeros((2, 4)))
    assert np.max(tap(model, "embedding")({"left": one, "right": other})) > 0


def test_siamese_twins_start_as_the_paper_says():
    keras.utils.set_random_seed(0)
    inputs = {"left": (20, 20, 1), "right": (20, 20, 1)}
    model = architecture("siamese_twin", convolutions=((32, 9),), units=16).build(inputs)
    convolution, bias, dense, dense_bias, scores, score_bias = (np.asarray(w) for w in model.get_weights())
    np.testing.assert_allclose([convolution.std(), dense.std()], [0.01, 0.2], rtol=0.1)
    np.testing.assert_allclose([bias.mean(), dense_bias.mean(), score_bias[0]], 0.5, atol=0.05)
    assert 0.05 < scores.std() < 0.5


@pytest.mark.parametrize(
    ("name", "metaparameters", "shape"),
    [
        ("dense_autoencoder", {"shape": (4, 5, 2), "units": (12, 7, 3)}, (4, 5, 2)),
        ("conv_autoencoder", {"filters": (6, 4, 2), "channels": 1}, (16, 24, 1)),
    ],
)
def test_an_autoencoders_decoder_mirrors_its_encoder(name, metaparameters, shape):
    model = architecture(name, **metaparameters).build(shape)
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    if name == "dense_autoencoder":
        sizes = [tuple(kernel.shape) for kernel in kernels]
    else:  # a transposed kernel gives its outputs first, so that both sides end in the same two numbers
        sizes = [tuple(kernel.shape[2:]) for kernel in kernels[:3]]
        sizes += [tuple(kernel.shape[2:])[::-1] for kernel in kernels[3:]]
    assert sizes == [(b, a) for a, b in reversed(sizes)]
    assert tuple(model.output.shape[1:]) == shape
    code = tap(model, "embedding").output
    assert tuple(code.shape[1:]) == ((3,) if name == "dense_autoencoder" else (2, 3, 2))


def test_an_autoencoder_refuses_what_it_cannot_make_again():
    with pytest.raises(ConfigError, match=r"`stem` doesn't fit.*shape \(784,\) can't make \(28, 28, 1\)"):
        architecture("dense_autoencoder").build((28, 28, 1))
    with pytest.raises(ConfigError, match=r"`stem` doesn't fit.*3 channels can't make \(8, 8, 1\)"):
        architecture("conv_autoencoder").build((8, 8, 1))
    with pytest.raises(ConfigError, match=r"`learner` doesn't fit.*7x7 pixels can't be halved"):
        architecture("conv_autoencoder", channels=1).build((28, 28, 1))


def test_srcnn_keeps_the_size_and_enlarging_at_the_end_multiplies_it():
    small = {"channels": 3, "filters": (2, 2), "kernel_sizes": (3, 3, 3)}
    assert architecture("srcnn", **small).build((20, 16, 3)).output.shape == (None, 20, 16, 3)
    for name in ("srcnn_post", "espcn"):
        assert architecture(name, factor=4, **small).build((5, 6, 3)).output.shape == (None, 20, 24, 3)
    free = architecture("espcn", **small).build((None, None, 3))
    assert free(near((1, 4, 5, 3))).shape == (1, 12, 15, 3)


def test_shuffled_channels_become_neighboring_pixels():
    model = architecture("espcn", factor=2, filters=(2,), kernel_sizes=(1, 1)).build((2, 2, 1))
    *others, kernel, _ = model.get_weights()
    model.set_weights([*others, kernel * 0, np.arange(4.0)])
    np.testing.assert_array_equal(np.asarray(model(near((1, 2, 2, 1))))[0, :2, :2, 0], [[0, 1], [2, 3]])


def test_srcnn_post_takes_one_kernel_size_more_than_filters():
    with pytest.raises(ConfigError, match="kernel_sizes"):
        architecture("srcnn_post", filters=(4, 4), kernel_sizes=(3, 3))


def test_a_dcgan_doubles_the_side_per_width_and_its_ends_are_not_normalized():
    generator = architecture("dcgan_generator", filters=(4, 3, 2), channels=1, side=3).build((5,))
    assert generator.output.shape == (None, 24, 24, 1)
    made = np.asarray(generator(near((2, 5))))
    assert -1 <= made.min() < 0 < made.max() <= 1
    discriminator = architecture("dcgan_discriminator", filters=(2, 3)).build((24, 24, 1))
    kinds = [type(layer).__name__ for layer in discriminator.layers]
    assert kinds.index("LeakyReLU") < kinds.index("BatchNormalization")
    assert kinds.count("BatchNormalization") == 1
    assert discriminator(made).shape == (2, 1)


SMALL = {"classes": 3, "groups": ((2, 1), (3, 1)), "anchors": 1, "filters": 4, "bins": 2, "units": 5}


def test_faster_rcnn_predicts_per_anchor_and_per_region_on_one_trunk():
    model = faster_rcnn(**SMALL).build({"image": (None, None, 3), "regions": (None, 4)})
    x = {"image": near((2, 8, 12, 3)), "regions": np.tile([0.0, 0.0, 0.5, 1.0], (2, 3, 1)).astype("float32")}
    predicted = model(x)
    assert {name: tuple(value.shape) for name, value in predicted.items()} == {
        "objectness": (2, 4 * 6, 2),
        "anchors": (2, 4 * 6, 4),
        "classes": (2, 3, 3),
        "boxes": (2, 3, 3, 4),
    }
    for name in ("objectness", "classes"):
        np.testing.assert_allclose(np.sum(predicted[name], axis=-1), 1.0, atol=1e-5)
    assert tap(model, "trunk")(x).shape == (2, 4, 6, 3)
    assert (
        sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == 2 + 3
    )  # the trunk is there once


def test_faster_rcnn_looks_at_its_own_proposals():
    model = faster_rcnn(**SMALL).build({"image": (8, 12, 3), "regions": (6, 4)})
    image, anywhere = near((2, 8, 12, 3)), np.zeros((2, 6, 4), "float32")
    outputs = model({"image": image, "regions": anywhere})
    regions = proposals(
        {"objectness": outputs["objectness"], "deltas": outputs["anchors"]},
        grid=(4, 6),
        stride=2,
        sizes=(4,),
        ratios=(1.0,),
        count=6,
    )
    seen = model({"image": image, "regions": np.asarray(regions)})
    np.testing.assert_array_equal(seen["objectness"], outputs["objectness"])  # the image is the same
    assert not np.array_equal(seen["classes"], outputs["classes"])


def test_faster_rcnn_takes_any_trunk():
    trunk = Part(keras.layers.Conv2D, filters=2, kernel_size=3, strides=4)
    model = faster_rcnn(**{**SMALL, "trunk": trunk}).build({"image": (16, 16, 3), "regions": (2, 4)})
    assert model.output["objectness"].shape == (None, 4 * 4, 2)
