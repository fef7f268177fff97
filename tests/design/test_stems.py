"""Pre-stems for images: raw pixels to the model are what prepared ones are to the bare model."""

import keras
import numpy as np
import pytest
from keras import layers

from composable.core.errors import ConfigError
from composable.design import Architecture, Choice, Input, Part
from composable.design.stems import (
    augment,
    deconvolution,
    normalize,
    rescale,
    resize,
    standardize,
    without_augmentation,
)
from composable.design.tasks import classifier, flattened

MEAN, DEVIATION = (120.0, 115.5, 101.0), (60.0, 58.5, 57.0)
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype("uint8")
VIEWS = {"shift": 0.3, "rotation": 0.2, "zoom": 0.3, "contrast": 0.5}


def design(*prestem, stem=()):
    return Architecture(prestem=prestem, stem=stem, tasks=Part(classifier, classes=3, pool=flattened))


def bilinear(pixels, height, width):
    return np.asarray(keras.ops.image.resize(pixels.astype("float32"), (height, width)))


def predicted(model, x, **call):
    return np.asarray(model(x, **call))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize(
    ("prestem", "prepared"),
    [
        (Part(rescale), PIXELS / 255),
        (Part(rescale, scale=1 / 128, offset=-0.5), PIXELS / 128 - 0.5),
        (Part(normalize), PIXELS / 127.5 - 1),
        (Part(standardize, mean=MEAN, deviation=DEVIATION), (PIXELS - np.array(MEAN)) / DEVIATION),
        ((Part(resize, height=4, width=6), Part(rescale)), bilinear(PIXELS, 4, 6) / 255),
    ],
    ids=["rescale", "offset", "normalize", "standardize", "resize"],
)
def test_raw_pixels_to_the_model_are_prepared_ones_to_the_bare_model(prestem, prepared, dtype):
    prepared = prepared.astype("float32")
    model = design(prestem).build(Input(PIXELS.shape[1:], dtype=dtype))
    bare = design().build(prepared.shape[1:])
    bare.set_weights(model.get_weights())
    raw = predicted(model, PIXELS.astype(dtype))
    np.testing.assert_allclose(raw, predicted(bare, prepared), rtol=0, atol=1e-6)
    assert np.ptp(raw) > 0.1


def test_resize_keeps_the_proportions_where_it_may_crop():
    wide = np.zeros((1, 4, 8, 1), "float32")
    wide[:, :, 2:6] = 1.0  # the middle square
    cropped = design(Part(resize, height=4, width=4, crop=True), stem=layers.Identity)
    squeezed = design(Part(resize, height=4, width=4), stem=layers.Identity)
    middle, whole = (
        keras.Model(m.input, m.get_layer("encoding").output)(wide)
        for m in (each.build((4, 8, 1)) for each in (cropped, squeezed))
    )
    np.testing.assert_allclose(middle, 1.0)
    assert np.min(whole) < 0.5


def test_deconvolution_enlarges_by_a_learned_kernel():
    model = design(Part(deconvolution, height=128, width=96)).build((32, 32, 3))
    encoding = model.get_layer("encoding").output
    assert encoding.shape == (None, 128, 96, 3)
    kernel, bias = next(layer for layer in model.layers if layer.weights).weights
    assert kernel.shape == (8, 5, 3, 3)  # two steps of 4 and of 3, as wide as bilinear interpolation
    assert bias.shape == (3,)


@pytest.mark.parametrize("shape", [(33, 33, 3), (32, 33, 3), (256, 256, 3), (None, None, 3)])
def test_deconvolution_refuses_sides_it_cannot_reach_by_place(shape):
    with pytest.raises(ConfigError, match=r"`prestem\.0` doesn't fit.*no whole multiple"):
        design(Part(deconvolution, height=128, width=128)).build(shape)


def test_standardize_names_a_wrong_number_of_channels():
    with pytest.raises(ConfigError, match=r"`prestem\.0` doesn't fit.*1 channels take as many means"):
        design(Part(standardize, mean=MEAN, deviation=DEVIATION)).build((8, 8, 1))
    with pytest.raises(ConfigError, match="3 channels take as many"):
        design(Part(standardize, mean=MEAN, deviation=(1.0,))).build((8, 8, 3))


@pytest.mark.parametrize(
    "wrong",
    [{"deviation": (1.0, 0.0)}, {"deviation": (-1.0,)}, {"mean": (float("nan"),)}, {"mean": "gray"}],
    ids=str,
)
def test_standardize_refuses_wrong_values_at_once(wrong):
    with pytest.raises(ConfigError, match=f"can't take this {next(iter(wrong))}"):
        Part(standardize, **wrong)


@pytest.mark.parametrize("wrong", [{"shift": 1.5}, {"flip": "sideways"}, {"pixels": (0,)}], ids=str)
def test_augment_refuses_wrong_values_at_once(wrong):
    with pytest.raises(ConfigError, match=f"can't take this {next(iter(wrong))}"):
        Part(augment, **wrong)


@pytest.mark.parametrize("kind", ["flip", *VIEWS])
def test_each_augmentation_changes_images_in_training_alone_and_never_the_same_way(kind):
    off = {"flip": None, "shift": 0.0}
    on = {"flip": "horizontal_and_vertical"} if kind == "flip" else {kind: VIEWS[kind]}
    images = np.repeat(PIXELS, 4, axis=0)
    model = design(Part(augment, **{**off, **on})).build(Input((8, 8, 3), "uint8"))
    seen = keras.Model(model.input, model.get_layer("encoding").output)
    np.testing.assert_array_equal(predicted(seen, images, training=False), images)
    once, again = (predicted(seen, images, training=True) for _ in range(2))
    assert not np.array_equal(once, images)
    assert not np.array_equal(once, again)


def test_contrast_is_cut_at_the_pixels_there_can_be():
    images = (PIXELS / 127.5 - 1).astype("float32")
    part = Part(augment, flip=None, shift=0.0, contrast=0.9, pixels=(-1.0, 1.0))
    model = design(part).build((8, 8, 3))
    seen = predicted(keras.Model(model.input, model.get_layer("encoding").output), images, training=True)
    assert seen.min() < -0.2  # not cut at 0, as pixels up to 255 would be
    assert seen.min() >= -1
    assert seen.max() <= 1


def test_without_anything_to_do_augment_is_nothing():
    model = design(Part(augment, flip=None, shift=0.0)).build((8, 8, 3))
    assert not any(type(layer).__name__.startswith("Random") for layer in model.layers)


def test_tear_off_keeps_the_weights_and_the_outputs():
    training = design(Part(augment, **VIEWS), Part(rescale))
    working = without_augmentation(training)
    assert working == design(Part(rescale))
    model, torn = training.build((8, 8, 3)), working.build((8, 8, 3))
    torn.set_weights(model.get_weights())
    images = PIXELS.astype("float32")
    np.testing.assert_array_equal(
        predicted(model, images, training=False), predicted(torn, images, training=False)
    )
    # Nothing random is left, so that training and inference see the same.
    np.testing.assert_array_equal(predicted(torn, images, training=True), predicted(torn, images))


def test_tear_off_finds_augment_wherever_it_stands_in_the_pre_stem():
    whole = Architecture(prestem=Part(augment), tasks=Part(classifier, classes=3))
    assert without_augmentation(whole).prestem == ()
    nested = design((Part(augment), Part(rescale)), Part(augment))
    assert without_augmentation(nested).prestem == ((Part(rescale),),)
    opened = Architecture(prestem=Choice((Part(augment), Part(rescale))), tasks=Part(classifier, classes=3))
    assert without_augmentation(opened).prestem == Choice(((), Part(rescale)))
