"""Where the images of a column are: a table's cells only name them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from composable.core.machine import cores
from composable.core.threads import in_threads
from composable.data.images.conversion import Facts, ImageShape, fitted, read_image


class ImageSource(Protocol):
    """The images that the cells of a column name."""

    def read(self, names: Sequence[str], shape: ImageShape) -> np.ndarray:
        """(images, height, width, channels) of uint8, in the order of the names.

        Raises:
            DataError: If one can't be decoded.
        """
        ...

    def fingerprints(self, names: Sequence[str]) -> list[str]:
        """Equal for images of equal content."""
        ...

    @property
    def usual(self) -> ImageShape:
        """The median height and width, as seen; 3 channels if any image may be coloured."""
        ...


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images in files below one folder.

    Attributes:
        root: The folder.
        facts: By the file's path below it, with forward slashes.
        hashes: The sha256 of the files' bytes, by the same.
    """

    root: Path
    facts: Mapping[str, Facts]
    hashes: Mapping[str, str]

    def read(self, names: Sequence[str], shape: ImageShape) -> np.ndarray:
        """See `ImageSource`; decoded in as many threads as there are cores."""
        images = np.empty((len(names), shape.height, shape.width, shape.channels), np.uint8)
        paths = (self.root / name for name in names)
        for place, image in enumerate(in_threads(partial(read_image, shape=shape), paths, workers=cores())):
            images[place] = image
        return images

    def fingerprints(self, names: Sequence[str]) -> list[str]:
        """See `ImageSource`."""
        return [self.hashes[name] for name in names]

    @property
    def usual(self) -> ImageShape:
        """See `ImageSource`."""
        facts = self.facts.values()
        height, width = (
            int(np.median([getattr(one, side) for one in facts])) for side in ("height", "width")
        )
        return ImageShape(height, width, 3 if any(one.coloured for one in facts) else 1)


@dataclass(frozen=True, eq=False)
class ImageArrays:
    """Images in arrays of uint8, (images, height, width, channels) each; a cell says "x_train/17".

    Attributes:
        arrays: By name.
    """

    arrays: Mapping[str, np.ndarray]

    def read(self, names: Sequence[str], shape: ImageShape) -> np.ndarray:
        """See `ImageSource`."""
        images = np.empty((len(names), shape.height, shape.width, shape.channels), np.uint8)
        for place, name in enumerate(names):
            images[place] = fitted(self._one(name), shape)
        return images

    def fingerprints(self, names: Sequence[str]) -> list[str]:
        """See `ImageSource`."""
        return [hashlib.sha256(self._one(name).tobytes()).hexdigest() for name in names]

    @property
    def usual(self) -> ImageShape:
        """See `ImageSource`."""
        height, width, channels = next(iter(self.arrays.values())).shape[1:]
        return ImageShape(height, width, min(3, channels))

    def _one(self, name: str) -> np.ndarray:
        array, _, place = name.rpartition("/")
        return self.arrays[array][int(place)]
