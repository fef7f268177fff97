"""Images per second decoded and augmented, beside a Pillow pipeline in two worker processes.

python benchmarks/image_throughput.py --data DIR [--rounds 5] [--photos SIDE]

DIR is a folder of class folders, as `sign_digits`; with `--photos 1600` a hundred of its images are enlarged
to photos first, with a camera's noise. Both give uint8 images of 64 x 64: flipped, cropped, and with other
colors. The pipeline is that of a usual PyTorch loader: Pillow decodes whole images, crops, resizes, flips
and changes colors image by image, in two processes, in every epoch. Composable decodes once, in as many
threads as there are cores, a photo at a fraction of its size, and augments in the compiled program, here a
call of its own: the first epoch is decoding and augmenting, later ones augmenting alone; ten are one of the
first kind and nine of the other. Compiling isn't counted. Medians of rounds that alternate.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from conditions import conditions
from PIL import Image, ImageEnhance

SIDE, WORKERS, CHUNK = 64, 2, 32
REPEATED = 4  # times that the folder is gone through in a round
PHOTOS, NOISE, QUALITY = 100, 6, 90


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photos", type=int, metavar="SIDE")
    wanted = parser.parse_args()
    found = sorted(wanted.data.rglob("*.jpg"))
    with tempfile.TemporaryDirectory() as folder:
        if wanted.photos:
            found = enlarged(found[:: len(found) // PHOTOS], Path(folder), wanted.photos)
        measure([str(path) for path in found] * REPEATED, wanted.rounds)


def enlarged(files: Sequence[Path], folder: Path, side: int) -> list[Path]:
    """Copies whose longer side has so many pixels."""
    rng, made = np.random.default_rng(0), []
    for number, path in enumerate(files):
        with Image.open(path) as image:
            width, height = (round(each * side / max(image.size)) for each in image.size)
            large = image.convert("RGB").resize((width, height))
        levels = np.asarray(large) + rng.normal(0, NOISE, (height, width, 1))
        made.append(folder / f"{number}.jpg")
        Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(made[-1], quality=QUALITY)
    return made


def measure(files: list[str], count: int) -> None:
    """Each way over all the files, so many times."""
    print(conditions())
    print(f"{len(files)} JPEG files, the first of {Image.open(files[0]).size}")
    with get_context("spawn").Pool(WORKERS) as pool:
        ways = {"Pillow, 2 workers": lambda: len(list(pool.imap(altered, files, CHUNK)))} | ours(files)
        for way in ways.values():
            way()  # compiles, and starts the workers
        rounds = [{name: timed(way) for name, way in ways.items()} for _ in range(count)]
    rates = {name: len(files) / np.median([each[name] for each in rounds]) for name in ways}
    usual, first, later = rates.values()
    rates["Composable, ten epochs"] = 10 / (1 / first + 9 / later)
    for name, rate in rates.items():
        print(f"{name:32s} {rate:8.0f} images/s  {rate / usual:5.2f}x")


def timed(way: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.monotonic()
    way()
    return time.monotonic() - began


def altered(path: str) -> np.ndarray:
    """One image as a usual loader gives it."""
    rng = np.random.default_rng()
    with Image.open(path) as image:
        colors = image.convert("RGB")
    share = np.sqrt(rng.uniform(0.6, 1.0))
    width, height = (max(1, round(side * share)) for side in colors.size)
    left, top = rng.integers(colors.size[0] - width + 1), rng.integers(colors.size[1] - height + 1)
    box = (left, top, left + width, top + height)
    found = colors.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box)
    if rng.random() < 0.5:
        found = found.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        found = change(found).enhance(rng.uniform(0.8, 1.2))
    return np.asarray(found)


def ours(files: list[str]) -> dict[str, Callable[[], object]]:
    """The first epoch, and later ones."""
    import jax

    from composable.data.images.pixels import ImageShape
    from composable.data.images.source import ImageFiles
    from composable.design import Part
    from composable.engine.augment import augmented, draws
    from composable.engine.augmentations import color, crop, flip, light

    source, shape = ImageFiles(Path(), {}, {}), ImageShape(SIDE, SIDE, 3)
    augment = (Part(flip), Part(crop), Part(light), Part(color))
    order = np.arange(250)[None]
    program = jax.jit(lambda images, drawn: augmented(augment, [images], drawn)[0])
    held = source.read(files, shape)

    def later(images: np.ndarray) -> None:
        for first in range(0, len(images), order.size):
            some = images[first : first + order.size]
            drawn = draws(augment, order[:, : len(some)], seed=0, epoch=0, first=first)[0]
            np.asarray(program(some, drawn))

    return {
        "Composable, first epoch": lambda: later(source.read(files, shape)),
        "Composable, later epochs": lambda: later(held),
    }


if __name__ == "__main__":
    main()
