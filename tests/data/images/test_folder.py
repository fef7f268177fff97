"""Folders of images as tables."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from composable.core.errors import DataError
from composable.data.images.folder import is_image_folder, read_image_folder
from composable.data.images.pixels import ImageShape
from composable.data.images.source import images_of


def save(path, level=0, size=(6, 4), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode == "L" else (level, 0, 0)).save(path)


@pytest.fixture
def animals(tmp_path):
    for part, count in (("train", 4), ("test", 2)):
        for name in ("cat", "dog"):
            for number in range(count):
                save(tmp_path / part / name / f"{number}.png", 10 * number + len(part) + len(name) // 3)
    return tmp_path


def text_of(table):
    return " ".join(notice.text for notice in table.notices)


def test_a_class_is_the_folder_that_the_file_lies_in(tmp_path):
    save(tmp_path / "cat" / "1.png")
    save(tmp_path / "dog" / "deeper" / "2.JPG", 9)
    table = read_image_folder(tmp_path)
    assert table.frame.to_dict("list") == {
        "image": ["cat/1.png", "dog/deeper/2.JPG"],
        "class": ["cat", "dog"],
    }
    assert table.notices == ()


def test_folders_of_parts_lie_above_those_of_classes(animals):
    frame = read_image_folder(animals).frame
    assert frame.groupby(["part", "class"]).size().to_dict() == {
        ("test", "cat"): 2, ("test", "dog"): 2, ("train", "cat"): 4, ("train", "dog"): 4,
    }  # fmt: skip


def test_train_may_be_a_class(tmp_path):
    save(tmp_path / "train" / "1.png")
    save(tmp_path / "bus" / "1.png")
    assert read_image_folder(tmp_path).frame["class"].tolist() == ["bus", "train"]


def test_images_without_folders_have_no_class(tmp_path):
    save(tmp_path / "b.png")
    save(tmp_path / "a.png")
    assert read_image_folder(tmp_path).frame.to_dict("list") == {"image": ["a.png", "b.png"]}


def test_images_beside_the_folders_of_classes_are_named(tmp_path):
    save(tmp_path / "cat" / "1.png")
    save(tmp_path / "stray.png")
    with pytest.raises(DataError, match=r"stray\.png"):
        read_image_folder(tmp_path)


def test_an_empty_class_and_files_that_are_no_images_are_said(animals):
    (animals / "train" / "owl").mkdir()
    (animals / "train" / "cat" / ".DS_Store").write_bytes(b"x")
    (animals / "train" / "cat" / "Thumbs.db").write_bytes(b"x")
    (animals / "train" / "notes.txt").write_text("x")
    (animals / ".cache").mkdir()
    save(animals / ".cache" / "cat" / "1.png")
    table = read_image_folder(animals)
    assert len(table.frame) == 12
    assert "'train/owl'" in text_of(table)
    assert "1 files are no images and are passed over: 'train/notes.txt'." in text_of(table)


def test_equal_images_have_equal_fingerprints_wherever_they_lie(animals):
    save(animals / "train" / "cat" / "same.png", 77)
    save(animals / "test" / "dog" / "other name.png", 77)
    table = read_image_folder(animals)
    names = ["train/cat/same.png", "test/dog/other name.png", "train/cat/0.png"]
    first, second, third = table.sources["image"].fingerprints(names)
    assert first == second != third


def test_the_fingerprint_tells_of_any_change(animals):
    before = read_image_folder(animals).fingerprint
    assert read_image_folder(animals).fingerprint == before
    save(animals / "train" / "cat" / "0.png", 200)
    assert read_image_folder(animals).fingerprint != before


def test_a_file_that_changes_after_the_first_look_stops(animals):
    table = read_image_folder(animals)
    name = table.frame["image"][0]
    files = table.sources["image"]
    assert files.read([name], files.usual).shape[0] == 1
    Image.new("RGB", (9, 9), "pink").save(animals / name)
    with pytest.raises(DataError, match="has changed since"):
        files.read([name], files.usual)


def test_a_broken_file_is_left_out_and_named(animals):
    (animals / "train" / "cat" / "bad.png").write_bytes(b"")
    table = read_image_folder(animals)
    assert len(table.frame) == 12
    assert "'train/cat/bad.png'" in text_of(table)


def test_too_many_broken_files_stop(animals):
    for number in range(4):
        (animals / "train" / "cat" / f"bad{number}.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"4 of 16.*bad0\.png"):
        read_image_folder(animals)


def test_classes_that_training_lacks_are_said(animals):
    save(animals / "test" / "owl" / "1.png")
    assert "Classes of the test images that no training image has: 'owl'." in text_of(
        read_image_folder(animals)
    )


def test_images_are_read_in_the_order_that_is_asked_for(animals):
    source = images_of(read_image_folder(animals).sources)["image"]
    pixels = source.read(["train/cat/3.png", "train/cat/0.png"], ImageShape(2, 3, 1))
    assert pixels.shape == (2, 2, 3, 1)
    assert pixels[:, 0, 0, 0].tolist() == [36, 6]


def test_the_usual_shape_is_the_median_as_seen(tmp_path):
    for number, size in enumerate([(6, 4), (8, 4), (100, 50)]):
        save(tmp_path / f"{number}.png", size=size)
    assert images_of(read_image_folder(tmp_path).sources)["image"].usual == ImageShape(4, 8, 1)
    turned = Image.Exif()
    turned[0x0112] = 6
    for number in range(9):
        Image.new("RGB", (20, 10)).save(tmp_path / f"turned{number}.jpg", exif=turned)
    assert images_of(read_image_folder(tmp_path).sources)["image"].usual == ImageShape(20, 10, 3)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    assert not is_image_folder(tmp_path)
    with pytest.raises(DataError, match="no file that ends like an image"):
        read_image_folder(tmp_path)


def test_names_are_taken_as_they_are(tmp_path):
    save(tmp_path / "größe 大" / "it's.png")
    table = read_image_folder(tmp_path)
    assert table.frame.iloc[0].tolist() == ["größe 大/it's.png", "größe 大"]
    assert table.sources["image"].read(table.frame["image"], ImageShape(1, 1, 1)).shape == (1, 1, 1, 1)
    assert np.array_equal(table.sources["image"].fingerprints([]), [])
