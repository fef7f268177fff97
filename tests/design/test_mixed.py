"""Images beside other columns, and several images in a row."""

import keras
import numpy as np

from composable.design import Part
from composable.design.stems import several_images, table_with_images
from composable.design.tasks import pooled
from composable.zoo.fast_cifar import seen


def network(count):
    images = keras.Input((8, 8, 3 * count), dtype="float32")
    look = Part(seen, mean=(0.0,) * 3, deviation=(50.0,) * 3, filters=(4, 4))
    return keras.Model(images, several_images(images, count=count, images=look))


def test_every_image_of_a_row_is_seen_by_the_same_network():
    keras.utils.set_random_seed(0)
    model = network(2)
    left, right = np.random.default_rng(0).uniform(0, 255, (2, 5, 8, 8, 3)).astype("float32")
    outputs = model.predict_on_batch(np.concatenate([left, right], axis=-1))
    swapped = model.predict_on_batch(np.concatenate([right, left], axis=-1))
    width = outputs.shape[1] // 3
    np.testing.assert_allclose(outputs[:, :width], swapped[:, width : 2 * width], atol=1e-5)
    np.testing.assert_allclose(
        outputs[:, 2 * width :], np.abs(outputs[:, :width] - outputs[:, width : 2 * width]), atol=1e-5
    )
    alike = model.predict_on_batch(np.concatenate([left, left], axis=-1))
    assert np.abs(alike[:, 2 * width :]).max() < 1e-5


def test_three_images_have_the_weights_of_one():
    assert network(3).count_params() == network(1).count_params()


def test_images_may_be_all_there_is():
    images = keras.Input((4, 4, 3), name="images")
    look = Part(pooled)
    alone = table_with_images({"images": images}, table=None, images=look)
    assert {name: tuple(x.shape) for name, x in alone.items()} == {"plain": (None, 3)}
