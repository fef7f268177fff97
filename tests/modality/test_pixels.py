"""The baseline for masks."""

from __future__ import annotations

import numpy as np

from composable.modality.mask import described, logistic_on_pixels


def drawn(rows, seed):
    """Green fields on red ground, and where they are: class 2; class 1 is nowhere."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (rows, 12, 16, 3)).astype("uint8")
    masks = np.zeros((rows, 12, 16), "uint8")
    for image, mask in zip(images, masks, strict=True):
        top, left = rng.integers(0, 6), rng.integers(0, 8)
        field = slice(top, top + 6), slice(left, left + 8)
        image[..., 0] += 120
        image[field] = (20, 150, 20)
        mask[field] = 2
    return images, masks


def test_colors_tell_the_classes_apart():
    learned, (asked, right) = drawn(20, 0), drawn(5, 1)
    predicted = logistic_on_pixels(*learned, asked, seed=0)
    assert predicted.shape == (5, 12, 16, 3)
    np.testing.assert_allclose(predicted.sum(axis=-1), 1.0, atol=1e-5)
    assert (predicted[..., 1] == 0).all()
    assert (predicted.argmax(axis=-1) == right).mean() > 0.97


def test_a_pixel_is_described_by_its_color_and_its_place():
    even = np.full((6, 9, 1), 100, "uint8")
    features = described(even)
    assert features.shape[0] == 54
    assert len(np.unique(features.round(6), axis=0)) == 54  # of one color, in different places
