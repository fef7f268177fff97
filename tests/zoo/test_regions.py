"""Regions pooled from feature maps, and proposed by what is said of anchors."""

import keras
import numpy as np
import pytest

from composable.zoo.faster_rcnn import anchors, moved, proposals, roi_pooling

WHOLE = (0.0, 0.0, 1.0, 1.0)


def pooled(features, regions, bins):
    regions = np.asarray(regions, "float32")[None].repeat(len(features), axis=0)
    return np.asarray(
        roi_pooling({"features": keras.ops.convert_to_tensor(features), "regions": regions}, bins=bins)
    )


def test_the_whole_map_at_its_own_resolution_is_max_pooling():
    features = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype("float32")
    whole = pooled(features, [WHOLE], bins=3)
    assert whole.shape == (2, 1, 3, 3, 3)
    np.testing.assert_allclose(whole[:, 0], keras.layers.MaxPooling2D(2)(features), atol=1e-5)


def test_a_region_is_where_it_says_top_left_bottom_right():
    features = np.zeros((1, 8, 8, 1), "float32")
    features[:, :4, 4:] = 1.0  # the upper right quarter; each quarter's samples fall on its positions
    quarters = [(0, 0, 0.5, 0.5), (0, 0.5, 0.5, 1), (0.5, 0, 1, 0.5), (0.5, 0.5, 1, 1)]
    found = pooled(features, quarters, bins=2)[0]
    expected = np.zeros((4, 2, 2, 1))
    expected[1] = 1.0
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_between_positions_values_are_interpolated():
    ramp = np.broadcast_to(np.arange(8.0, dtype="float32")[None, None, :, None], (1, 8, 8, 1))
    # Samples at 2.25, 2.75, 3.25 and 3.75 positions from the border, whose middles are half a step on.
    across = pooled(ramp, [(0.25, 0.25, 0.5, 0.5)], bins=2)[0, 0, 0, :, 0]
    np.testing.assert_allclose(across, [2.25, 3.25], atol=1e-5)


def test_beyond_the_border_its_last_position_counts():
    features = np.full((1, 4, 4, 2), 3.0, "float32")
    np.testing.assert_allclose(pooled(features, [(-0.5, -0.5, 1.5, 1.5)], bins=2), 3.0, atol=1e-5)


def test_anchors_have_the_sizes_and_ratios_around_every_position():
    boxes = anchors(grid=(2, 3), stride=16, sizes=(16, 32), ratios=(0.25, 1.0)).reshape(2, 3, 4, 4)
    pixels = boxes * np.array([32, 48, 32, 48])
    middles = (pixels[..., :2] + pixels[..., 2:]) / 2
    sides = pixels[..., 2:] - pixels[..., :2]
    np.testing.assert_allclose(middles[1, 2], np.broadcast_to([24, 40], (4, 2)))
    np.testing.assert_allclose(sides[0, 0], [[8, 32], [16, 16], [16, 64], [32, 32]], rtol=1e-6)


def test_boxes_move_in_their_own_sides_and_grow_by_powers_of_e():
    box = np.array([[0.2, 0.2, 0.4, 0.6]], "float32")
    np.testing.assert_allclose(moved(box, np.zeros((1, 4), "float32")), box, atol=1e-6)
    down_and_across = np.array([[0.5, -0.25, 0, 0]], "float32")
    np.testing.assert_allclose(moved(box, down_and_across), [[0.3, 0.1, 0.5, 0.5]], atol=1e-6)
    twice_as_high = np.array([[0, 0, np.log(2), 0]], "float32")
    np.testing.assert_allclose(moved(box, twice_as_high), [[0.1, 0.2, 0.5, 0.6]], atol=1e-6)


def test_the_likeliest_anchors_are_proposed_in_order_within_the_image():
    settings = {"grid": (2, 2), "stride": 8, "sizes": (8,), "ratios": (1.0,)}
    yes = np.array([[0.1, 0.9, 0.3, 0.6]], "float32")
    deltas = np.zeros((1, 4, 4), "float32")
    deltas[0, 3, 0] = 0.5  # half a box further down, beyond the image
    x = {"objectness": np.stack([1 - yes, yes], axis=-1), "deltas": deltas}
    found = proposals(x, count=2, **settings)
    np.testing.assert_allclose(found, [[[0, 0.5, 0.5, 1], [0.75, 0.5, 1, 1]]], atol=1e-6)
    assert proposals(x, count=300, **settings).shape == (1, 4, 4)


def test_a_grid_of_other_anchors_is_refused():
    x = {"objectness": np.zeros((1, 5, 2), "float32"), "deltas": np.zeros((1, 5, 4), "float32")}
    with pytest.raises(ValueError, match=r"grid of \(2, 2\) has 36 anchors, not 5"):
        proposals(x, grid=(2, 2))
