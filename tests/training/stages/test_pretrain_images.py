"""Pretext tasks for images: what is shown, what is asked, and where in the network."""

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError, DataError
from composable.design import Architecture, Input, Part
from composable.design.layers import conv_norm
from composable.design.stems import rescale
from composable.design.taps import tap
from composable.design.tasks import classifier
from composable.training.stages.pretrain import pretext as pretexts
from composable.training.stages.pretrain.image_classes import SHAPES, apart, drawn, jigsaw, mosaic, synthetic
from composable.training.stages.pretrain.pretext import Unlabeled, attached
from composable.training.stages.pretrain.reconstruction import (
    autoencoding,
    boxes,
    denoising,
    image_decoder,
    occlusion,
)

TASKS = (jigsaw, denoising, autoencoding, occlusion, synthetic)
BLACK = np.zeros(1)


def unlabeled(side=12, rows=40, epochs=3, dtype="uint8", seed=0):
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 256, (rows, side, side, 1)).astype(dtype)
    return Unlabeled({"x": pixels}, np.arange(rows - 10), np.arange(rows - 10, rows), epochs, seed)


def network(side=12):
    design = Architecture(
        prestem=Part(rescale),
        stem=Part(conv_norm, filters=4, kernel_size=3, strides=2),
        learner=Part(conv_norm, filters=6, kernel_size=3, strides=2),
        tasks=Part(classifier, classes=3),
    )
    return tap(design.build(Input((side, side, 1))), "logits")


def numbered(across, side, rows=1):
    """Images each of whose pixels holds the number of its tile, counted row by row from 1."""
    tile = np.arange(side) // (side // across)
    return np.repeat((tile[:, None] * across + tile[None, :] + 1)[None, ..., None], rows, axis=0).astype(
        "uint8"
    )


@pytest.mark.parametrize("across", [2, 3])
def test_each_place_of_a_mosaic_shows_the_tile_that_its_permutation_names(across):
    order = np.random.default_rng(1).permutation(across**2)
    shown = mosaic(numbered(across, 12), order[None], gap=0, background=BLACK, rng=np.random.default_rng())
    tall = 12 // across
    tiles = [[int(shown[0, r * tall, c * tall, 0]) for c in range(across)] for r in range(across)]
    assert np.ravel(tiles).tolist() == (order + 1).tolist()
    assert len(np.unique(shown)) == across**2  # whole tiles, none of which is torn


def test_the_tiles_of_the_identity_are_the_image_upright():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 9, 12, 3)).astype("uint8")  # not a square
    same = np.repeat(np.arange(9)[None], 2, axis=0)
    shown = mosaic(pixels, same, gap=0, background=np.zeros(3), rng=np.random.default_rng())
    np.testing.assert_array_equal(shown, pixels)


def test_sides_that_the_tiles_dont_divide_are_cropped_around_the_center():
    pixels = np.full((1, 32, 32, 1), 9, "uint8")
    shown = mosaic(pixels, np.arange(9)[None], gap=0, background=BLACK, rng=np.random.default_rng())
    assert shown.shape == pixels.shape
    lit = shown[0, ..., 0] > 0
    assert lit[1:31, 1:31].all()
    assert lit.sum() == 30 * 30


def test_a_gap_parts_the_tiles_and_moves_what_they_show():
    pixels = np.arange(12, dtype="uint8")[None, :, None, None] + 1 + np.zeros((200, 1, 12, 1), "uint8")
    four = np.repeat(np.arange(4)[None], 200, axis=0)
    shown = mosaic(pixels, four, gap=2, background=BLACK, rng=np.random.default_rng(0))[..., 0]
    assert not shown[:, [0, 5, 6, 11]].any()
    assert not shown[:, :, [0, 5, 6, 11]].any()
    assert set(np.unique(shown[:, 1, 1])) == {1, 2, 3}


@pytest.mark.parametrize("tiles", [4, 9])
def test_every_row_has_a_permutation_of_its_own_and_is_asked_for_that_one(tiles):
    count = 12
    side = 18
    rows = 60
    x = Unlabeled({"x": numbered(int(tiles**0.5), side, rows)}, np.arange(50), np.arange(50, 60), 2, 0)
    made = jigsaw(x, tiles=tiles, permutations=count, gap=0)
    orders, places = apart(tiles, count), np.arange(0, side, side // int(tiles**0.5))
    shown = made.rows.inputs["x"][:, places][:, :, places].reshape(-1, tiles) - 1
    asked = made.rows.targets[0][:, 0]
    np.testing.assert_array_equal(shown, orders[asked])  # the order that is there, of all tiles
    assert len(np.unique(asked)) == count
    assert asked.dtype == np.int32


def test_a_network_is_asked_to_tell_as_many_orders_as_there_are():
    x = unlabeled(side=12)
    made = jigsaw(x, tiles=9, permutations=17)
    model = made.attach(network())
    assert model.output.shape == (None, 17)
    assert made.chance == pytest.approx(1 / 17)
    loss = made.goals[0].loss(np.array([[3]], "int32"), keras.ops.one_hot(np.array([3]), 17) * 50.0, 0.0)
    assert float(loss[0]) == pytest.approx(0.0, abs=1e-5)  # cross entropy, not a distance between numbers


def test_permutations_differ_as_much_as_they_can():
    for length, count, least in ((4, 4, 4), (9, 9, 9), (9, 60, 7), (4, 24, 2)):
        found = apart(length, count)
        assert np.sort(found, axis=1).tolist() == [list(range(length))] * count
        distance = (found[:, None] != found[None]).sum(axis=-1)
        assert distance[~np.eye(count, dtype=bool)].min() >= least
        assert found[0].tolist() == list(range(length))


@pytest.mark.parametrize(
    "given",
    [{"tiles": 4, "permutations": 25}, {"tiles": 9, "gap": 3}],
)
def test_jigsaws_that_cant_be_are_refused(given):
    with pytest.raises(ConfigError):
        jigsaw(unlabeled(side=12), **given)


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_attached_before_the_scores_and_shares_the_network(task):
    made = task(unlabeled())
    whole = network()
    model = made.attach(whole)
    shared = {id(v) for v in model.variables} & {id(v) for v in whole.variables}
    names = {v.path for v in whole.variables if id(v) not in shared}
    assert names
    assert all("logits" in name for name in names)  # all but the head is shared
    assert keras.ops.shape(model(made.rows.inputs["x"][:2]))[0] == 2


@pytest.mark.parametrize("reads", ["logits", "nowhere"])
def test_the_scores_of_the_classes_are_never_read(reads):
    with pytest.raises(ConfigError):
        attached(network(), reads, lambda x: x)


@pytest.mark.parametrize("task", TASKS)
def test_corruptions_follow_from_the_seed_alone(task):
    one, same, other = (task(unlabeled(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.rows.inputs["x"], same.rows.inputs["x"])
    np.testing.assert_array_equal(one.rows.targets[0], same.rows.targets[0])
    assert not np.array_equal(one.rows.inputs["x"], other.rows.inputs["x"])


def originals(made, x):
    """The clean pixels, 0 to 255, that the targets of a reconstruction stand for."""
    pixels = x.inputs["x"][x.train] / 255.0
    mean = pixels.mean(axis=0)
    deviation = np.sqrt(np.mean((pixels - mean) ** 2))
    return (made.rows.targets[0] * deviation + mean) * 255


@pytest.mark.parametrize("task", [denoising, autoencoding, occlusion])
def test_reconstructions_ask_for_the_clean_image_of_the_same_row(task):
    x = unlabeled(dtype="float32")
    made = task(x)
    clean = originals(made, x)
    np.testing.assert_allclose(clean[made.held_out], x.inputs["x"][x.held_out], atol=1.0)
    shown = made.rows.inputs["x"]
    assert shown.dtype == np.float32
    assert (task is autoencoding) == bool(np.allclose(shown, clean, atol=1.0))
    assert made.attach(network()).output.shape == (None, 12, 12, 1)
    assert made.chance == pytest.approx(1.0, rel=0.1)


def test_noise_has_the_mean_and_deviation_that_are_asked_for():
    gray = np.full((60, 12, 12, 1), 64, "uint8")
    gray[0, 0, 0, 0] = 65  # images that are all the same have no range of contrast
    x = Unlabeled({"x": gray}, np.arange(50), np.arange(50, 60), 4, 0)
    added = denoising(x, mean=0.5, deviation=0.2, scale=0.5).rows.inputs["x"].astype("float32") - 64
    assert added.mean() == pytest.approx(0.25 * 255, abs=2)
    assert added.std() == pytest.approx(0.1 * 255, abs=2)


def test_boxes_hide_as_much_as_asked_anywhere():
    found = boxes((500, 12, 10, 3), 0.5, np.random.default_rng(0))
    assert found.shape == (500, 12, 10, 1)
    assert (found.sum(axis=(1, 2, 3)) == 30).all()
    assert found.any(axis=0).all()
    assert not found.all(axis=0).any()


def test_what_covers_a_box_is_the_mean_or_another_image():
    x = unlabeled(dtype="float32")
    clean = originals(autoencoding(x), x)
    for cover in ("mean", "other"):
        made = occlusion(x, cover=cover)
        shown = made.rows.inputs["x"]
        hidden = np.abs(shown - originals(made, x)) > 1.0
        assert 0.15 < hidden.mean() < 0.26
        if cover == "mean":
            mean = x.inputs["x"][x.train].mean(axis=0)
            np.testing.assert_allclose(shown[hidden], np.broadcast_to(mean, shown.shape)[hidden], rtol=1e-3)
    assert clean.shape == shown.shape


def test_drawn_classes_look_different_and_fill_the_range():
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(len(SHAPES)), 30)
    pixels = drawn(classes, (16, 20, 3), rng)
    assert pixels.shape == (len(classes), 16, 20, 3)
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    made = synthetic(unlabeled(), images=200, watched=50)
    assert made.rows.inputs["x"].dtype == np.uint8
    assert made.rows.inputs["x"].max() > 200
    assert set(made.rows.targets[0][:, 0]) == set(range(len(SHAPES)))


def test_shapes_are_drawn_for_networks_of_images_alone():
    x = unlabeled()
    with pytest.raises(DataError):
        synthetic(Unlabeled({**x.inputs, "numbers": np.zeros((40, 2), "float32")}, x.train, x.held_out, 1, 0))


@pytest.mark.parametrize("encoding", [(3, 3, 5), (5, 2, 5), (1, 1, 5), (9, 8), (10, 8), (7, 8), (24,)])
def test_any_encoding_is_decoded_to_an_image(encoding):
    x = keras.Input(encoding)
    assert image_decoder(x, shape=(11, 14, 2), width=3).shape == (None, 11, 14, 2)


def test_copies_are_bounded_and_every_row_is_seen_as_often_as_asked(monkeypatch):
    x = unlabeled(epochs=10)  # 30 rows to learn from
    made = denoising(x)
    assert (len(made.train), made.epochs) == (75, 4)
    row = 144 * 3  # a byte per pixel shown, two per pixel asked for
    monkeypatch.setattr(pretexts, "MEMORY", 20 * row)
    made = denoising(x)
    assert (len(made.train), made.epochs) == (20, 15)
    assert len(made.held_out) == 10


def test_what_isnt_an_image_is_refused():
    flat = Unlabeled({"x": np.zeros((4, 5), "float32")}, np.arange(3), np.arange(3, 4), 1, 0)
    with pytest.raises(DataError, match="images"):
        jigsaw(flat)
    blank = Unlabeled({"x": np.ones((4, 9, 9, 1), "float32")}, np.arange(3), np.arange(3, 4), 1, 0)
    with pytest.raises(DataError, match="same"):
        jigsaw(blank)
