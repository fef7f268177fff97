"""Masks as levels, whichever kind of file holds them."""

import numpy as np
import pytest
from PIL import Image

from composable.core.errors import DataError
from composable.data.images.pixels import levels_of, read_levels

LEVELS = np.array([[0, 1, 2], [2, 0, 200]], "uint8")


def palette():
    image = Image.fromarray(LEVELS, "L").convert("P")
    image.putdata(LEVELS.ravel().tolist())
    image.putpalette([n % 256 for n in range(7, 7 + 768)])
    return image


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(LEVELS),
        palette(),
        Image.fromarray(np.repeat(LEVELS[..., None], 3, axis=2)),
        Image.fromarray(LEVELS.astype("uint16")),
        Image.merge("LA", [Image.fromarray(LEVELS)] * 2),
    ],
    ids=lambda image: image.mode,
)
def test_levels_are_taken_as_they_are(image, tmp_path):
    image.save(tmp_path / "mask.png")
    assert np.array_equal(read_levels(tmp_path / "mask.png"), LEVELS)


def test_one_bit_is_0_and_255(tmp_path):
    Image.fromarray(LEVELS > 0).save(tmp_path / "mask.png")
    assert np.array_equal(read_levels(tmp_path / "mask.png"), 255 * (LEVELS > 0))


def test_levels_beyond_a_byte_and_broken_files_are_refused_by_name(tmp_path):
    Image.fromarray(LEVELS.astype("uint16") * 300).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match=r"deep.png: levels from 0 to 60000"):
        read_levels(tmp_path / "deep.png")
    whole = (tmp_path / "deep.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.png"):
        read_levels(tmp_path / "cut.png")


def test_arrays_of_whole_numbers_and_truth_values():
    assert np.array_equal(levels_of(LEVELS[None].astype("int64"), "y")[..., 0], LEVELS[None])
    assert levels_of(LEVELS[None] > 0, "y").max() == 1
    with pytest.raises(DataError, match="argmax"):
        levels_of(np.zeros((2, 3, 3, 4), int), "y")
