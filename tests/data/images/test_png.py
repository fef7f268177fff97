"""Pictures for a page."""

import base64
import io

import numpy as np
from PIL import Image

from composable.data.images.pixels import LONGEST, png_text


def drawn(pixels):
    return Image.open(io.BytesIO(base64.b64decode(png_text(pixels))))


def test_gray_and_colored_images_stay_as_they_are():
    for channels in (1, 3):
        pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype("uint8")
        assert np.array_equal(np.asarray(drawn(pixels)).reshape(pixels.shape), pixels)


def test_several_images_are_drawn_beside_each_other():
    left, right = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype("uint8")
    shown = np.asarray(drawn(np.concatenate([left, right], axis=-1)))
    assert np.array_equal(shown, np.concatenate([left, right], axis=1))


def test_large_images_are_made_smaller():
    assert drawn(np.zeros((400, 200, 3), "uint8")).size == (LONGEST // 2, LONGEST)
