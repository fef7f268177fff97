"""Augmentation in the compiled epoch."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.design import Part
from composable.engine.augment import augmented, draws, moved
from composable.engine.augmentations import (
    DRAWN,
    OF_MASKS,
    color,
    crop,
    cutout,
    flip,
    light,
    randaugment,
    translate,
    turn,
)
from composable.engine.cohort import Cohort, Instance
from composable.engine.rows import Rows
from composable.engine.settings import Settings
from composable.engine.train import train
from tests.engine.cohorts import GOAL, instance, trained

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 10, 3)).astype("uint8")
EACH = (flip, translate, turn, crop, cutout, light, color, randaugment)


def shown(augmentation, drawn, images=IMAGES):
    full = np.full((len(images), DRAWN), 0.5, "float32")
    for column, value in drawn.items():
        full[:, column] = value
    (out,) = augmented((augmentation,), [ops.convert_to_tensor(images)], ops.convert_to_tensor(full))
    return np.asarray(ops.convert_to_numpy(out))


def test_a_flip_turns_left_and_right():
    assert np.array_equal(shown(Part(flip), {3: 0.49}), IMAGES[:, :, ::-1])
    assert np.array_equal(shown(Part(flip), {3: 0.5}), IMAGES)
    assert np.array_equal(shown(Part(flip, alternating=False), {0: 0.1}), IMAGES[:, :, ::-1])


def test_alternating_flips_show_each_side_every_second_epoch():
    order = np.arange(6)[None]
    numbers = [draws((Part(flip),), order, seed=1, epoch=epoch, first=0)[0] for epoch in range(4)]
    flipped = [
        (
            np.asarray(ops.convert_to_numpy(flip(ops.convert_to_tensor(IMAGES), ops.convert_to_tensor(each))))
            != IMAGES
        ).any((1, 2, 3))
        for each in numbers
    ]
    assert np.array_equal(flipped[0], ~flipped[1])
    assert np.array_equal(flipped[0], flipped[2])
    assert 0 < flipped[0].sum() < 6


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.5), (0.999, 0.5), (0.5, 0.0), (0.0, 0.999)])
def test_moved_images_are_reflected_at_the_border(down, right):
    y, x = (int(np.floor(value * 5)) - 2 for value in (down, right))
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    expected = padded[:, 2 + y : 10 + y, 2 + x : 12 + x]
    assert np.array_equal(shown(Part(translate, most=2), {0: down, 1: right}), expected)


def test_a_quarter_turn_is_numpys():
    square = IMAGES[:, :, :8]
    turned = shown(Part(turn, angle=90.0), {0: 0.0, 1: 0.5}, square)
    assert np.abs(turned.astype(int) - np.rot90(square, 1, axes=(1, 2))).max() <= 1
    assert np.array_equal(shown(Part(turn), {0: 0.5, 1: 0.5}), IMAGES)


def test_enlarging_keeps_the_middle():
    spot = np.zeros((1, 9, 9, 1), "uint8")
    spot[0, 3:6, 3:6] = 200
    larger = shown(Part(turn, zoom=0.9), {0: 0.5, 1: 0.0}, spot)
    smaller = shown(Part(turn, zoom=0.9), {0: 0.5, 1: 0.999}, spot)
    assert larger.sum() > 2 * spot.sum() > 4 * smaller.sum()
    assert larger[0, 4, 4, 0] == smaller[0, 4, 4, 0] == 200


def test_cutout_covers_a_square_with_the_mean_color():
    cut = shown(Part(cutout, side=0.5), {0: 0.5, 1: 0.5})
    covered = (cut != IMAGES).any(-1)
    assert not covered[:, :2].any()
    assert not covered[:, :, :3].any()
    middle = np.round(IMAGES.astype("float64").mean((1, 2)))
    assert np.array_equal(cut[:, 4, 5], middle.astype("uint8"))
    assert 4 * 4 - 3 <= covered[0].sum() <= 4 * 4
    assert not (shown(Part(cutout, side=0.5), {0: 0.0, 1: 0.0}) != IMAGES)[:, 2:].any()


def test_light_stays_within_the_levels():
    gray = np.full((1, 4, 4, 1), 100, "uint8")
    assert shown(Part(light, brightness=0.1, contrast=0.5), {0: 0.999}, gray)[0, 0, 0, 0] == 125
    brighter = shown(Part(light, brightness=0.9), {0: 0.999})
    assert brighter.max() == 255
    assert brighter.dtype == np.uint8


@pytest.mark.parametrize("augmentation", EACH)
@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_types_and_shapes_stay_and_rows_differ(augmentation, kind):
    images = np.repeat(IMAGES[:1], 50, axis=0).astype(kind)
    drawn = draws((Part(augmentation),), np.arange(50)[None], seed=0, epoch=0, first=0)[0]
    out = np.asarray(
        ops.convert_to_numpy(
            augmented((Part(augmentation),), [ops.convert_to_tensor(images)], ops.convert_to_tensor(drawn))[0]
        )
    )
    assert out.shape == images.shape
    assert out.dtype == kind
    assert np.isfinite(out.astype("float32")).all()
    assert len(np.unique(out.reshape(50, -1), axis=0)) > 1


def test_what_is_no_image_stays():
    numbers = np.ones((6, 3), "float32")
    drawn = ops.convert_to_tensor(draws((Part(flip),), np.arange(6)[None], seed=0, epoch=0, first=0)[0])
    both = augmented((Part(flip),), {"image": ops.convert_to_tensor(IMAGES), "numbers": numbers}, drawn)
    assert both["numbers"] is numbers


def test_training_sees_the_augmented_images_and_the_measure_does_not():
    """A network that only sums the left half learns from the right one as well, if images are flipped."""
    rng = np.random.default_rng(0)
    images = np.zeros((40, 4, 4, 1), "float32")
    images[:, :, 2:] = rng.uniform(0, 255, (40, 1, 1, 1))
    y = (images[:, 0, 2] / 255).astype("float32")

    def made():
        inputs = keras.Input((4, 4, 1), name="image")
        left = keras.layers.Cropping2D(((0, 0), (0, 2)))(inputs)
        x = keras.layers.Rescaling(1 / 255)(keras.layers.GlobalAveragePooling2D()(left))
        return keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(x))

    losses = {}
    for augment in ((), (Part(flip, alternating=False),)):
        settings = Settings(learning_rate=0.1, batch_size=40, epochs=30, patience=None, augment=augment)
        one = Instance(np.arange(40), np.arange(40), 0, settings)
        (history,) = train(
            Cohort(made(), (GOAL,), Rows({"image": images}, (y,)), (one,)), deadline=Deadline()
        )
        losses[bool(augment)] = history.epochs
    assert losses[True][-1].loss < 0.9 * losses[False][-1].loss
    assert losses[True][-1].held_out == pytest.approx(losses[False][-1].held_out)


def test_augmentations_are_shared_by_a_cohort_and_tables_have_none():
    assert Settings(augment=(Part(flip),)).shared != Settings().shared
    with pytest.raises(ConfigError, match="are augmented"):
        trained(instance(augment=(Part(flip),)))


def test_a_crop_is_a_part_enlarged():
    step = np.repeat(np.arange(10, dtype="uint8")[None, None, :, None] * 25, 8, axis=1)
    # The left half of the area: by the square root, seven tenths of each side.
    left = shown(Part(crop, least=0.5, ratio=1.0), {0: 0.0, 2: 0.0, 3: 0.0}, step)
    right = shown(Part(crop, least=0.5, ratio=1.0), {0: 0.0, 2: 0.0, 3: 0.999}, step)
    assert left.max() < 180
    assert right.min() > 60
    assert np.array_equal(shown(Part(crop, least=0.999, ratio=1.0), {0: 0.999}), IMAGES)


def test_colors_fade_and_gray_images_stay():
    gray = IMAGES[..., :1]
    assert np.array_equal(shown(Part(color), {0: 0.0, 1: 0.9, 2: 0.1}, gray), gray)
    faded = shown(Part(color, saturation=0.999), {0: 0.0, 1: 0.5, 2: 0.5})
    assert np.ptp(faded.astype(int), axis=-1).max() <= 1
    tinted = shown(Part(color, tint=0.5), {0: 0.5, 1: 0.0, 2: 0.999}).astype(int)
    assert (tinted[..., 0] <= IMAGES[..., 0]).all()
    assert (tinted[..., 2] >= IMAGES[..., 2]).all()
    assert np.array_equal(tinted[..., 1], IMAGES[..., 1])


def test_the_colors_of_several_images_fade_each_by_itself():
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 6)).astype("uint8")
    drawn = {0: 0.0, 1: 0.2, 2: 0.7}
    both = shown(Part(color, saturation=0.999, tint=0.2), drawn, images)
    each = [
        shown(Part(color, saturation=0.999, tint=0.2), drawn, one) for one in np.split(images, 2, axis=-1)
    ]
    np.testing.assert_array_equal(both, np.concatenate(each, axis=-1))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, np.clip(IMAGES * 1.45, 0, 255)),
        (3, np.where(IMAGES >= 128, 255 - IMAGES.astype(int), IMAGES)),
        (4, IMAGES // 4 * 4),
        (11, IMAGES),
    ],
    ids=["brightness", "solarize", "posterize", "identity"],
)
def test_randaugment_draws_its_alterations(number, expected):
    # The first pick is the alteration, forwards; the second one does nothing.
    found = shown(Part(randaugment, magnitude=5.0), {0: (number + 0.5) / 12, 1: 0.99, 2: 0.9})
    assert np.abs(found.astype(int) - np.round(expected)).max() <= 1


@pytest.mark.parametrize("move", OF_MASKS)
def test_masks_move_with_their_images(move):
    mask = np.kron(np.random.default_rng(1).integers(0, 2, (6, 4, 5)), np.ones((2, 2))).astype("uint8")
    drawn = np.random.default_rng(2).random((6, DRAWN)).astype("float32")
    if move is randaugment:  # two that move
        drawn[:, :2] = [6.5 / 12, 9.5 / 12]
    image, same = ops.convert_to_tensor(mask[..., None] * np.uint8(255)), ops.convert_to_tensor(drawn)
    of_image = augmented((Part(move),), [image], same)[0]
    (of_mask,) = moved((Part(move),), (ops.convert_to_tensor(mask),), same)
    seen = np.asarray(ops.convert_to_numpy(of_image))[..., 0] / 255
    clear = np.abs(seen - 0.5) > 0.4  # between two classes an image is gray
    assert clear.mean() > 0.4
    assert np.array_equal(seen[clear] > 0.5, np.asarray(ops.convert_to_numpy(of_mask))[clear] > 0.5)
