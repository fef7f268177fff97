"""Which pixels speak for an answer."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from composable.engine.predict import gradients_of
from composable.explain.image_errors import highlighted, integrated_gradients

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype("uint8")


def curved():
    """An answer that isn't a straight line of the pixels."""
    keras.utils.set_random_seed(0)
    images = keras.Input((8, 8, 3), name="images")
    x = keras.layers.Conv2D(4, 3, activation="gelu", padding="same")(keras.layers.Rescaling(1 / 255)(images))
    return keras.Model({"images": images}, keras.layers.Dense(2)(keras.layers.GlobalMaxPooling2D()(x)))


def corner(channels):
    """An answer that is the brightness of the upper left quarter, minus that of the lower right."""
    images = keras.Input((8, 8, channels), name="images")
    quarters = keras.layers.AveragePooling2D(4)(images)
    model = keras.Model({"images": images}, keras.layers.Dense(1)(keras.layers.Flatten()(quarters)))
    weights = np.zeros((4 * channels, 1), "float32")
    weights[:channels], weights[3 * channels :] = 1.0, -1.0
    model.set_weights([weights, np.zeros(1, "float32")])
    return model


def test_they_sum_to_what_the_image_adds_to_an_even_one():
    model, direction = curved(), np.array([1.0, -1.0])
    found = integrated_gradients(gradients_of(model, "images"), {"images": IMAGE}, direction)
    even = np.broadcast_to(IMAGE.astype("float32").mean(axis=(0, 1)), IMAGE.shape)
    outputs = np.asarray(model({"images": np.stack([IMAGE.astype("float32"), even])}))
    np.testing.assert_allclose(found.sum(), (outputs[0] - outputs[1]) @ direction, rtol=0.02)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_image_is_orange_where_it_speaks_for_the_answer(channels):
    image = np.full((8, 8, channels), 100, "uint8")
    image[:4, :4] = image[4:, 4:] = 200
    gradients = gradients_of(corner(channels), "images")
    shown = highlighted(image, integrated_gradients(gradients, {"images": image}, np.ones(1)))
    assert (shown.shape, shown.dtype) == ((8, 8, 3), np.uint8)
    orange = shown[..., 0].astype(int) - shown[..., 2]
    assert orange[:3, :3].min() > 100
    assert max(orange[5:, 5:].max(), orange[:3, 5:].max()) < 40  # it speaks against it, or says nothing
