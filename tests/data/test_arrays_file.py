"""Images in `.npz` files as tables."""

from __future__ import annotations

import numpy as np
import pytest

from composable.core.errors import DataError
from composable.data.arrays_file import read_arrays_file
from composable.data.images.pixels import ImageShape
from composable.data.read import read_table

X = np.arange(5 * 4 * 3, dtype="uint8").reshape(5, 4, 3)
Y = np.array([0, 1, 2, 1, 0], "uint8")


def saved(tmp_path, **arrays):
    np.savez(tmp_path / "i.npz", **arrays)
    return tmp_path / "i.npz"


def test_rows_are_those_of_all_parts(tmp_path):
    path = saved(tmp_path, x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2], official_index=Y)
    table = read_arrays_file(path)
    assert table.frame["image"].tolist()[3:6] == ["x_train/3", "x_train/4", "x_test/0"]
    assert table.frame["class"].tolist() == ["0", "1", "2", "1", "0", "0", "1"]
    assert table.frame["part"].tolist() == ["train"] * 5 + ["test"] * 2
    pixels = table.sources["image"].read(["x_test/1", "x_train/0"], ImageShape(4, 3, 1))
    assert np.array_equal(pixels[..., 0], X[[1, 0]])
    assert table.sources["image"].usual == ImageShape(4, 3, 1)


def test_one_pair_of_arrays_has_no_parts_and_images_alone_no_class(tmp_path):
    assert list(read_arrays_file(saved(tmp_path, x=X, y=Y[:, None])).frame) == ["image", "class"]
    assert list(read_arrays_file(saved(tmp_path, x=X)).frame) == ["image"]


def test_numbers_have_the_names_that_are_given(tmp_path):
    path = saved(tmp_path, x=X, y=Y, class_names=np.array(["shirt", "shoe", "bag"]))
    assert read_arrays_file(path).frame["class"].tolist() == ["shirt", "shoe", "bag", "shoe", "shirt"]
    with pytest.raises(DataError, match="2, of 2 names"):
        read_arrays_file(saved(tmp_path, x=X, y=Y, class_names=np.array(["shirt", "shoe"])))


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_shares_are_levels(tmp_path, kind):
    table = read_arrays_file(saved(tmp_path, x=(np.repeat(X, 3, axis=2) / 255).astype(kind)))
    assert np.array_equal(
        table.sources["image"].read(["x/4"], ImageShape(4, 9, 1))[0, ..., 0], np.repeat(X[4], 3, axis=1)
    )


def test_equal_pixels_have_equal_fingerprints(tmp_path):
    table = read_arrays_file(saved(tmp_path, x_train=X, x_test=X[2:3]))
    first, second, other = table.sources["image"].fingerprints(["x_train/2", "x_test/0", "x_train/1"])
    assert first == second != other


def test_arrays_are_fitted_to_the_shape_that_is_asked_for(tmp_path):
    table = read_arrays_file(saved(tmp_path, x=X))
    pixels = table.sources["image"].read(["x/0", "x/1"], ImageShape(8, 6, 3))
    assert pixels.shape == (2, 8, 6, 3)
    assert np.array_equal(pixels[..., 0], pixels[..., 2])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": X}, "'images'"),
        ({"x": X[..., None] - 1.0}, "-1 to"),
        ({"x": X[..., None] * 10.0}, "to 590"),
        ({"x": X[..., None] * np.nan}, "nan"),
        ({"x": X[0]}, r"\(4, 3\)"),
        ({"x": X[:0]}, r"\(0, 4, 3, 1\)"),
        ({"x": X.astype(str)}, "<U"),
        ({"x": X, "y": Y[:3]}, r"\(3,\) for 5 rows"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "its array y of labels"),
        ({"x_train": X, "x_test": X[:, :2]}, "of one shape"),
        ({"x": np.array([{}], dtype=object)}, "unequal length"),
    ],
)
def test_what_is_no_array_of_images_is_refused(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message):
        read_arrays_file(saved(tmp_path, **arrays))


def test_a_damaged_file_is_named(tmp_path):
    path = saved(tmp_path, x=X)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"i\.npz"):
        read_arrays_file(path)


def test_an_array_of_gray_images_needs_no_axis_of_channels():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6)).astype("uint8")
    table = read_table(images)
    assert table.sources["image"].read(list(table.frame["image"]), ImageShape(4, 6, 1)).shape == (5, 4, 6, 1)
    with pytest.raises(DataError, match="two dimensions"):
        read_table(np.tile(images, (1, 1, 2)).astype("float32"))
