"""A folder of images, in a sub-folder per class, as chunks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from composable.core.errors import DataError
from composable.core.machine import cores
from composable.core.threads import in_threads
from composable.data.images.pixels import SUFFIXES, ImageShape, read_image
from composable.data.names import listed
from composable.engine.feed.chunk import Chunk, check_chunk, chunk_of, shuffled_rows
from composable.engine.rows import Rows


@dataclass(frozen=True, eq=False)
class ImageFolderFeed:
    """Images as uint8 arrays (rows, height, width, channels); class numbers (rows, 1) as int32.

    Files are shuffled freely and decoded anew in every epoch, in as many threads as there are cores.

    Attributes:
        files: Of all classes.
        labels: The class number of each file.
        classes: Their names, by number.
        shape: Of every image.
        name: Of the input.
    """

    files: tuple[Path, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    shape: ImageShape
    name: str
    repeatable = True

    @property
    def rows(self) -> int:
        """How many rows an epoch has."""
        return len(self.files)

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`.

        Raises:
            DataError: If a file isn't a whole image; names it.
        """
        check_chunk(rows, first)
        order = shuffled_rows(self.rows, seed=seed, epoch=epoch)
        for number in range(first, -(-self.rows // rows)):
            taken = order[number * rows : (number + 1) * rows]
            inputs = {self.name: self._decoded(taken)}
            yield chunk_of(Rows(inputs, (self.labels[taken, None],)), number, origin="the images")

    def _decoded(self, taken: np.ndarray) -> np.ndarray:
        shape = self.shape
        images = np.empty((len(taken), shape.height, shape.width, shape.channels), dtype=np.uint8)
        read = partial(read_image, shape=shape)
        paths = (self.files[row] for row in taken)
        for index, image in enumerate(in_threads(read, paths, workers=cores())):
            images[index] = image
        return images


def image_folder_feed(folder: Path, shape: ImageShape, *, name: str = "inputs") -> ImageFolderFeed:
    """The images below the sub-folders of `folder`, each of which is a class; in the order of the alphabet.

    Hidden folders, and files that no image format's suffix ends, are passed over.

    Args:
        folder: Of the sub-folders.
        shape: Of every image.
        name: Of the input.

    Raises:
        DataError: If there is no sub-folder, or one without images; names it.
    """
    found = {
        entry.name: sorted(path for path in entry.rglob("*") if path.suffix.lower() in SUFFIXES)
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and not entry.name.startswith(".")
    }
    empty = [name for name, files in found.items() if not files]
    if not found or empty:
        raise DataError(
            "Images must lie in one folder per class.",
            received=f"{folder}: " + (f"no images in {listed(empty)}" if found else "no folders in it"),
            remedy="put the images of each class into a folder of its name, and remove the empty ones",
        )
    labels = np.repeat(np.arange(len(found), dtype=np.int32), [len(files) for files in found.values()])
    return ImageFolderFeed(
        tuple(itertools.chain.from_iterable(found.values())), labels, tuple(found), shape, name
    )
