"""Networks that grow, and answer as before."""

import keras
import numpy as np
import pytest
from keras import layers

from composable import grown
from composable.core.errors import ConfigError
from composable.design import Architecture, Part
from composable.design.layers import conv_norm
from composable.design.learners import group
from composable.design.tasks import classifier
from composable.zoo.densenet import densenet
from composable.zoo.mobilenet import inverted
from composable.zoo.resnet import basic, bottleneck

IMAGES = np.random.default_rng(0).normal(size=(6, 8, 8, 3)).astype("float32")


def images(*, filters=5, blocks=1, stem=3, block=basic):
    return Architecture(
        stem=Part(conv_norm, filters=stem, kernel_size=3),
        learner=(
            Part(group, block=block, blocks=blocks, filters=filters, strides=1),
            Part(group, block=block, blocks=blocks, filters=2 * filters),
        ),
        tasks=Part(classifier, classes=3),
    )


def trained(architecture, shape, rows):
    """A few steps, so that statistics and weights are no longer those of the beginning."""
    keras.utils.set_random_seed(0)
    model = architecture.build(shape)
    model.compile("sgd", "mse")
    model.fit(rows, np.zeros((len(rows), 3)), epochs=2, verbose=0)
    return model


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ({}, {"filters": 7}),
        ({}, {"filters": 6, "blocks": 2, "stem": 4}),
        pytest.param(
            {"block": bottleneck}, {"block": bottleneck, "filters": 8, "blocks": 2}, marks=pytest.mark.slow
        ),
        pytest.param({"block": inverted}, {"block": inverted, "filters": 6}, marks=pytest.mark.slow),
    ],
)
def test_wider_and_deeper_ones_answer_the_same(small, large):
    one = images(**small)
    model = trained(one, (8, 8, 3), IMAGES)
    other = grown(model, one, images(**large), (8, 8, 3))
    assert other.count_params() > model.count_params()
    expected = model.predict_on_batch(IMAGES)
    np.testing.assert_allclose(other.predict_on_batch(IMAGES), expected, rtol=1e-3, atol=1e-5)


def dense(*units):
    return Architecture(
        learner=(layers.Flatten, *(Part(layers.Dense, units=one, activation="relu") for one in units)),
        tasks=Part(classifier, classes=3),
    )


def test_positions_become_channels_and_copies_learn_different_things():
    one = Architecture(
        stem=Part(conv_norm, filters=3, kernel_size=3),
        learner=dense(4).learner,
        tasks=Part(classifier, classes=3),
    )
    wide = Architecture(
        stem=Part(conv_norm, filters=5, kernel_size=3),
        learner=dense(9).learner,
        tasks=Part(classifier, classes=3),
    )
    model = trained(one, (8, 8, 3), IMAGES)
    other = grown(model, one, wide, (8, 8, 3))
    np.testing.assert_allclose(other.predict_on_batch(IMAGES), model.predict_on_batch(IMAGES), rtol=1e-3)
    kernel = next(layer for layer in other.layers if layer.name.endswith("logits")).get_weights()[0]
    assert not np.allclose(kernel[0], kernel[4])  # two copies of one unit


@pytest.mark.parametrize(
    ("larger", "says"),
    [
        (images(filters=4), "4 channels instead of 5"),
        (images(block=bottleneck), "aren't those"),
        (dense(4), "aren't those"),
    ],
)
def test_what_does_not_continue_it_is_refused(larger, says):
    one = images()
    with pytest.raises(ConfigError, match=says):
        grown(one.build((8, 8, 3)), one, larger, (8, 8, 3))


def test_a_plain_block_can_not_be_inserted():
    def deep(blocks):
        return Architecture(
            learner=Part(group, block=conv_block, blocks=blocks, filters=4, strides=1),
            tasks=Part(classifier, classes=3),
        )

    def conv_block(x, *, filters, strides):
        return conv_norm(x, filters, 3, strides)

    one = deep(1)
    with pytest.raises(ConfigError, match="adds nothing to a shortcut"):
        grown(one.build((8, 8, 3)), one, deep(2), (8, 8, 3))


@pytest.mark.slow
def test_concatenated_channels_are_followed():
    one, wide = (densenet(growth=g, blocks=(2, 2), classes=3) for g in (4, 6))
    model = trained(one, (16, 16, 3), np.repeat(np.repeat(IMAGES, 2, 1), 2, 2))
    rows = np.repeat(np.repeat(IMAGES, 2, 1), 2, 2)
    other = grown(model, one, wide, (16, 16, 3))
    np.testing.assert_allclose(
        other.predict_on_batch(rows), model.predict_on_batch(rows), rtol=1e-3, atol=1e-5
    )
