"""`fit` on masks: from images and what their pixels show to masks of new images, in use everywhere."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import composable
from composable.auto.options import FitOptions
from composable.auto.prepare import completed, prepare, read, understand_table
from composable.cli.main import run as command
from composable.core.errors import ConfigError, DataError

HEIGHT, WIDTH = 13, 18  # neither is twice a whole number all the way down
LEVELS = (0, 7, 255)


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images with a red and a blue rectangle on noise, and which level each pixel has."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 90, (rows, HEIGHT, WIDTH, 3)).astype("uint8")
    masks = np.zeros((rows, HEIGHT, WIDTH), "uint8")
    for image, mask in zip(images, masks, strict=True):
        for channel, level in ((0, 7), (2, 255)):
            top, left = rng.integers(0, HEIGHT - 5), rng.integers(0, WIDTH - 6)
            place = slice(top, top + 5), slice(left, left + 6)
            image[place] = 30
            image[place][..., channel] = 220
            mask[place] = level
    return images, masks


def save(pixels: np.ndarray, path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def written(root, rows: int, seed: int = 0):
    """A folder with `images` and `masks`."""
    for place, (image, mask) in enumerate(zip(*drawn(rows, seed), strict=True)):
        save(image, root / "images" / f"{place:02}.bmp")
        save(mask, root / "masks" / f"{place:02}.png")
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("rectangles")
    written(root / "train", 64, 0)
    written(root / "test", 12, 1)
    return root


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    return composable.fit(folder, max_trials=1, max_epochs=12, out=tmp_path_factory.mktemp("runs") / "run")


def understood(data, **options):
    asked = FitOptions(**options)
    table = read(data, asked)
    return understand_table(table, completed(asked, table), lambda _notice: None)


def test_a_folder_needs_no_options_and_pixels_are_learned(run):
    (head,) = run.problem.heads
    assert (head.kind, head.labels, run.problem.metric) == ("mask", LEVELS, "mean_iou")
    board = {row["model"]: row["test"] for row in run.candidates()}
    assert set(board) == {"unet", "logistic_on_pixels", "constant_predictor"}
    assert min(board["unet"], board["logistic_on_pixels"]) > 0.8 > 0.4 > board["constant_predictor"]


def test_scores_are_those_of_the_test_part_at_the_images_own_size(run, folder):
    scores = run.evaluate(folder)
    own = json.loads((run.path / "trials" / "2" / "trial.json").read_text())["test"]
    assert scores == pytest.approx({**own, "rows": 12})
    assert set(own) == {"mean_iou", "dice", "pixel_accuracy"}


def test_masks_are_as_large_as_their_images(run, folder):
    image = Image.open(folder / "test" / "images" / "00.bmp")
    enlarged = np.asarray(image.resize((3 * WIDTH + 1, 2 * HEIGHT), Image.Resampling.BICUBIC))
    (mask,) = run.masks(enlarged[None])
    assert (mask.shape, mask.dtype) == ((2 * HEIGHT, 3 * WIDTH + 1), np.uint8)
    (small,) = run.masks(np.asarray(image)[None])
    shrunk = np.asarray(Image.fromarray(mask).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST))
    assert (shrunk == small).mean() > 0.9
    assert set(np.unique(mask)) <= set(LEVELS)


def test_predict_writes_a_file_per_image_and_their_shares(run, folder, tmp_path):
    assert command(["predict", str(run.path), str(folder / "test"), "--out", str(tmp_path / "out")]) == 0
    table = pd.read_csv(tmp_path / "out" / "masks.csv")
    assert list(table.columns) == ["file", "mask", "share_0", "share_7", "share_255"]
    assert len(table) == 12
    masks = dict(zip(table["file"], run.masks(folder / "test"), strict=True))
    for row in table.to_dict("records"):
        found = np.asarray(Image.open(tmp_path / "out" / row["mask"]))
        assert np.array_equal(found, masks[row["file"]])
        assert row["share_7"] == pytest.approx((found == 7).mean())
    assert command(["predict", str(run.path), str(folder), "--out", str(folder / "train")]) == 2


@pytest.mark.slow
def test_the_exported_file_and_the_emitted_program_give_the_same_masks(run, folder, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(run.export("onnx", tmp_path / "onnx") / "model.onnx"))
    images, _ = drawn(12, 1)
    message = dict(
        zip([o.name for o in session.get_outputs()], session.run(None, {"image": images}), strict=True)
    )
    masks = np.stack(run.masks(images))
    assert np.array_equal(message["prediction"], masks)
    assert command(["source", str(run.path), "--out", str(tmp_path / "winner.py")]) == 0
    client = (
        "import sys; sys.modules['composable'] = None; import winner, numpy;"
        "found = winner.predict(winner.load(sys.argv[1]), {'image': sys.argv[2:]});"
        "[winner.write_mask(m, f'{n}.png') for n, m in enumerate(found['prediction'])]"
    )
    files = [str(folder / "test" / "images" / f"{place:02}.bmp") for place in range(12)]
    subprocess.run(
        [sys.executable, "-c", client, str(run.path / "bundle"), *files],
        cwd=tmp_path,
        check=True,
        timeout=300,
    )
    assert np.array_equal(np.stack([np.asarray(Image.open(tmp_path / f"{n}.png")) for n in range(12)]), masks)


def test_the_report_shows_the_worst_masks_first(run):
    shown = json.loads((run.path / "pictures.json").read_text())["masks"]
    overlaps = [one["mean_iou"] for one in shown]
    assert len(shown) == 12
    assert overlaps == sorted(overlaps)
    page = (run.path / "report.html").read_text()
    assert page.count("<li><img") >= 12
    assert "The worst first" in page


def test_arrays_and_manifests_ask_the_same(folder, tmp_path):
    images, masks = drawn(64)
    np.savez(tmp_path / "some.npz", x=images, y=masks)
    written(tmp_path, 64)
    names = [f"{place:02}" for place in range(64)]
    pd.DataFrame(
        {
            "picture": [f"images/{n}.bmp" for n in names],
            "truth": [f"masks/{n}.png" for n in names],
            "camera": ["a", "b"] * 32,
        }
    ).to_csv(tmp_path / "manifest.csv", index=False)
    asked = [
        (folder / "train", {}),
        (tmp_path / "some.npz", {}),
        ({"x": images, "y": masks.astype("int64")}, {}),
        (tmp_path / "manifest.csv", {"target": ("truth",)}),
    ]
    prepared = []
    for data, options in asked:
        found = understood(data, **options)
        assert found.problem.heads[0].labels == LEVELS
        table = read(data, FitOptions())
        prepared.append(prepare(found, completed(FitOptions(**options), table), lambda _notice: None))
    first = prepared[0].material
    assert first.targets[0].shape == (64, HEIGHT, WIDTH)
    for one in prepared[1:]:
        assert np.array_equal(one.material.targets[0], first.targets[0])
        assert np.array_equal(one.material.inputs["images"], first.inputs["images"])


def test_a_test_folder_of_ones_own_has_masks_too(folder):
    asked = FitOptions(test=str(folder / "test"))
    found = understood(folder / "train", test=asked.test)
    made = prepare(found, completed(asked, read(folder / "train", asked)), lambda _notice: None)
    assert np.array_equal(made.own_targets[0], np.searchsorted(LEVELS, drawn(12, 1)[1]))


def test_a_design_must_answer_for_every_pixel(folder, tmp_path):
    with pytest.raises(ConfigError, match="maps of"):
        composable.fit(folder, design="resnet18", max_trials=1, out=tmp_path / "run")


def test_masks_of_other_sizes_move_with_their_images(tmp_path):
    """A large image is made smaller, and its mask with it."""
    images, masks = drawn(40)
    big = {"x": images.repeat(6, axis=1).repeat(6, axis=2), "y": masks.repeat(6, axis=1).repeat(6, axis=2)}
    found = understood(big)
    made = prepare(found, completed(FitOptions(), read(big, FitOptions())), lambda _notice: None).material
    (targets,), shown = made.targets, made.inputs["images"]
    assert targets.shape == shown.shape[:3]
    assert max(targets.shape[1:]) == 64
    red = shown[..., 0] > 150
    assert ((targets == 1) == red).mean() > 0.97


def test_a_few_wrong_masks_are_named_and_left_out(tmp_path):
    root = written(tmp_path, 40)
    (root / "masks" / "03.png").unlink()
    save(np.zeros((4, 4), "uint8"), root / "masks" / "05.png")
    notices = []
    asked = FitOptions()
    table = read(root, asked)
    found = understand_table(table, completed(asked, table), notices.append)
    assert len(found.table.frame) == 38
    (notice,) = [n.text for n in notices if "left out" in n.text]
    assert "no mask of images/03.bmp" in notice
    assert "'masks/05.png' (4 x 4 pixels, its image images/05.bmp 18 x 13)" in notice


def _without_masks(root):
    for path in (root / "masks").iterdir():
        path.rename(path.with_name(f"other-{path.name}"))


def _too_small(root):
    for path in (root / "masks").iterdir():
        save(np.zeros((5, 5), "uint8"), path)


def _decimals(root):
    for path in (root / "masks").iterdir():
        Image.fromarray(np.random.default_rng(0).random((HEIGHT, WIDTH)).astype("float32")).save(
            path.with_suffix(".tif")
        )
        path.unlink()


def _colored(root):
    for path in (root / "masks").iterdir():
        save(drawn(1)[0][0], path)


def _lossy(root):
    for path in list((root / "masks").iterdir()):
        save(np.asarray(Image.open(path)), path.with_suffix(".jpg"))
        path.unlink()


def _empty(root):
    for path in (root / "masks").iterdir():
        save(np.zeros((HEIGHT, WIDTH), "uint8"), path)


def _more_masks(root):
    for place in range(5):
        save(np.zeros((HEIGHT, WIDTH), "uint8"), root / "masks" / f"alone{place}.png")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without_masks, "none with a mask"),
        (_too_small, "masks/00.png.*5 x 5 pixels, its image images/00.bmp 18 x 13"),
        (_decimals, "decimals"),
        (_colored, "colors"),
        (_lossy, "JPEG changes levels"),
        (_empty, "all of the level 0"),
        (_more_masks, "5 masks beside 20 images.*alone0.png"),
    ],
)
def test_wrong_masks_are_refused_with_their_names(tmp_path, spoil, message):
    root = written(tmp_path, 20)
    spoil(root)
    with pytest.raises(DataError, match=r"(?s)" + message) as refused:
        understood(root)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.full((20, 12, 12), 300), "0 to 255"),
        (np.zeros((20, 12, 12), "float32"), "float32"),
        (np.zeros((20, 12, 11), int), "same height and width"),
    ],
)
def test_wrong_arrays_are_refused(masks, message):
    with pytest.raises(DataError, match=message):
        understood({"x": np.zeros((20, 12, 12, 3), "uint8"), "y": masks})


def test_an_unknown_level_is_refused_where_masks_are_compared(run, tmp_path):
    root = written(tmp_path, 2)
    save(np.full((HEIGHT, WIDTH), 9, "uint8"), root / "masks" / "01.png")
    with pytest.raises(DataError, match=r"masks/01.png: level 9"):
        run.evaluate(root)


def test_other_models_give_no_masks_and_masks_are_asked_alone(tmp_path):
    images, masks = drawn(20)
    named = {"image": images, "truth": list(range(20)), "y": masks}
    with pytest.raises((ConfigError, DataError)):
        understood(named, target=("y", "truth"))
