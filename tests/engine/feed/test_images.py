"""Images: every file in the same colors and of one size, the broken one named."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from composable.core.errors import DataError
from composable.data.images import pixels
from composable.data.images.pixels import ImageShape, read_image
from composable.engine.feed.image_folder import image_folder_feed

RED, WHITE = [255, 0, 0], [255, 255, 255]


def saved(tmp_path, image, name="i.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def palette():
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0])
    return image


@pytest.mark.parametrize(
    ("image", "color"),
    [
        (Image.new("RGB", (4, 4), "red"), RED),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 255)), RED),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), WHITE),
        (palette(), RED),
        (Image.new("L", (4, 4), 7), [7, 7, 7]),
        (Image.new("1", (4, 4), 1), WHITE),
        (Image.fromarray(np.full((4, 4), 0x8000, "uint16")), [128, 128, 128]),
    ],
    ids=["RGB", "opaque", "transparent", "palette", "gray", "black and white", "16-bit"],
)
def test_every_mode_becomes_the_same_colors(tmp_path, image, color):
    pixels = read_image(saved(tmp_path, image), ImageShape(3, 2, 3))
    assert pixels.shape == (3, 2, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == color).all()


def test_a_photograph_of_many_pixels_looks_as_if_it_were_decoded_whole(tmp_path):
    y, x = np.mgrid[:800, :1000]
    waves = 127 + 60 * np.sin(x / 90) + 60 * np.cos(y / 70)
    whole = Image.fromarray(np.stack([waves, waves[::-1], waves[:, ::-1]], axis=-1).astype("uint8"))
    path = tmp_path / "photo.jpg"
    whole.save(path, quality=95)
    expected = np.asarray(whole.resize((50, 40), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(read_image(path, ImageShape(40, 50)) - expected).max() <= 4


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_ratio_of_the_sides_is_kept_by_choice(tmp_path, mode):
    path = saved(tmp_path, Image.new(mode, (8, 4), "white"))
    pixels = read_image(path, ImageShape(4, 4, len(mode), padded=True))
    assert pixels.shape == (4, 4, len(mode))
    assert (pixels[1:3] == 255).all()
    assert (pixels[[0, 3]] == 128).all()
    assert (read_image(path, ImageShape(4, 4, len(mode))) == 255).all()


def test_cmyk_becomes_red_green_blue(tmp_path):
    image = Image.new("CMYK", (4, 4), (0, 255, 255, 0))
    pixels = read_image(saved(tmp_path, image, "i.tif"), ImageShape(2, 2, 3))
    assert np.abs(pixels.astype(int) - RED).max() <= 2


def test_photographs_are_turned_as_the_camera_says(tmp_path):
    image = Image.fromarray(np.array([[0, 255], [0, 255]], "uint8"))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    pixels = read_image(saved(tmp_path, image, exif=exif), ImageShape(2, 2, 1))
    assert pixels[:, :, 0].tolist() == [[0, 0], [255, 255]]


def png_of_size(width, height):
    def piece(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", header) + piece(b"IDAT", b"") + piece(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("side", "why"),
    [
        (8193, "8193 x 8193"),
        (12_000, "12000 x 12000"),
        (30_000, "DecompressionBombError"),
    ],  # the last is Pillow's
)
def test_too_many_pixels_are_refused_before_decoding(tmp_path, side, why):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_size(side, side))
    with pytest.raises(DataError, match=rf"bomb\.png: {why}"):
        read_image(path, ImageShape(2, 2, 3))


def test_too_many_frames_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "_FRAMES", 3)
    frames = [Image.new("L", (4, 4), 50 * number) for number in range(5)]
    for count in (3, 5):
        path = tmp_path / f"{count}.gif"
        frames[0].save(path, save_all=True, append_images=frames[1:count])
    assert read_image(tmp_path / "3.gif", ImageShape(2, 2, 1)).shape == (2, 2, 1)
    with pytest.raises(DataError, match=r"5\.gif: 5"):
        read_image(tmp_path / "5.gif", ImageShape(2, 2, 1))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + b"x" * 99])
def test_broken_files_are_named(tmp_path, content):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.png"):
        read_image(path, ImageShape(2, 2, 3))


@pytest.mark.parametrize("name", ["i.png", "i.jpg"])
def test_truncated_files_are_named(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), "uint8")
    path = saved(tmp_path, Image.fromarray(noise), name)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=name):
        read_image(path, ImageShape(2, 2, 3))


def folder_of(tmp_path, **classes):
    for name, count in classes.items():
        (tmp_path / name).mkdir()
        for i in range(count):
            saved(tmp_path / name, Image.new("L", (3, 3), 10 * i), f"{i}.PNG")
    return tmp_path


def test_classes_are_the_folders_by_the_alphabet(tmp_path):
    folder = folder_of(tmp_path, b=2, a=3)
    (folder / "a" / "Thumbs.db").write_bytes(b"x")
    (folder / ".hidden").mkdir()
    (folder / "notes.txt").write_text("x")
    feed = image_folder_feed(folder, ImageShape(4, 5, 3), name="image")
    assert feed.classes == ("a", "b")
    [chunk] = feed.chunks(seed=0, epoch=0, rows=10)
    assert chunk.inputs["image"].shape == (5, 4, 5, 3)
    assert chunk.targets[0].dtype == np.int32
    assert sorted(chunk.targets[0][:, 0].tolist()) == [0, 0, 0, 1, 1]
    bright = chunk.inputs["image"][:, 0, 0, 0]
    assert sorted(zip(chunk.targets[0][:, 0].tolist(), bright.tolist(), strict=True)) == [
        (0, 0), (0, 10), (0, 20), (1, 0), (1, 10)
    ]  # fmt: skip


def test_a_broken_file_in_the_folder_stops_the_feed_by_name(tmp_path):
    folder = folder_of(tmp_path, a=3, b=3)
    (folder / "b" / "9.png").write_bytes(b"no image")
    feed = image_folder_feed(folder, ImageShape(2, 2))
    with pytest.raises(DataError, match=r"9\.png"):
        list(feed.chunks(seed=0, epoch=0, rows=2))


def test_a_class_without_images_is_named(tmp_path):
    with pytest.raises(DataError, match="'empty'"):
        image_folder_feed(folder_of(tmp_path, a=1, empty=0), ImageShape(2, 2))


def test_a_folder_without_folders_is_refused(tmp_path):
    with pytest.raises(DataError, match="no folders"):
        image_folder_feed(tmp_path, ImageShape(2, 2))
