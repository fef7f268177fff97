"""Where the images of a column are, which a table's cells only name, and what is wrong with those broken."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.core.machine import cores
from composable.core.threads import in_threads
from composable.data.frames import room
from composable.data.images.pixels import (
    Facts,
    ImageShape,
    fitted,
    image_facts,
    pixels_of,
    read_image,
    read_levels,
)
from composable.data.table import Source

_AT_ONCE = 16  # images that a thread decodes before it takes more
Stamp = tuple[int, int]  # nanoseconds and bytes


def stamp_of(status: os.stat_result) -> Stamp:
    """When a file was written last, and how large it is."""
    return status.st_mtime_ns, status.st_size


class ImageSource(Source, Protocol):
    """The images that the cells of a column name."""

    def read(self, names: Sequence[str], shape: ImageShape) -> np.ndarray:
        """(images, height, width, channels) of uint8, in the order of the names.

        Raises:
            DataError: If one can't be decoded.
        """
        ...

    @property
    def usual(self) -> ImageShape:
        """The median height and width, as seen; 3 channels if any image may be colored."""
        ...

    def size(self, name: str) -> tuple[int, int]:
        """The height and width of an image that isn't missing, as seen."""
        ...

    def levels(self, name: str) -> np.ndarray:
        """A mask's levels as they are, (height, width) of uint8.

        Raises:
            DataError: If it is no mask, or can't be decoded.
        """
        ...


def images_of(sources: Mapping[str, Source]) -> Mapping[str, ImageSource]:
    """The sources of columns of images; only such columns may be looked up in the result."""
    return cast("Mapping[str, ImageSource]", sources)


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images in files below one folder.

    Attributes:
        root: The folder.
        facts: By the file's path below it, with forward slashes.
        hashes: The sha256 of the files' bytes, by the same.
        broken: What is wrong with others, by the same.
        stamps: When the files were written last and how large they were at the first look, by the same.
    """

    root: Path
    facts: Mapping[str, Facts]
    hashes: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    def read(self, names: Sequence[str], shape: ImageShape) -> np.ndarray:
        """See `ImageSource`; decoded in as many threads as there are cores."""
        images = room((len(names), shape.height, shape.width, shape.channels))

        def read(first: int) -> None:
            for index in range(first, min(first + _AT_ONCE, len(names))):
                path = self.root / names[index]
                images[index] = read_image(path, shape)
                _check_unchanged(path, self.stamps.get(names[index]))

        for _ in in_threads(read, range(0, len(names), _AT_ONCE), workers=cores()):
            pass
        return images

    def fingerprints(self, names: Sequence[str]) -> list[str]:
        """See `ImageSource`."""
        return [self.hashes.get(name, name) for name in names]

    def missing(self, names: Sequence[str]) -> dict[int, str]:
        """See `ImageSource`."""
        return {
            index: self.broken.get(name, "no image's path" if name else "empty")
            for index, name in enumerate(names)
            if name not in self.facts
        }

    @property
    def usual(self) -> ImageShape:
        """See `ImageSource`."""
        facts = self.facts.values()
        height, width = (
            int(np.median([getattr(one, side) for one in facts])) for side in ("height", "width")
        )
        return ImageShape(height, width, 3 if any(one.colored for one in facts) else 1)

    def size(self, name: str) -> tuple[int, int]:
        """See `ImageSource`."""
        return self.facts[name].height, self.facts[name].width

    def levels(self, name: str) -> np.ndarray:
        """See `ImageSource`."""
        return read_levels(self.root / name)


def _check_unchanged(path: Path, seen: Stamp | None) -> None:
    """What is learned must be what its hash, taken at the first look, stands for.

    Raises:
        DataError: If the file was written to since.
    """
    if seen is not None and stamp_of(path.stat()) != seen:
        raise DataError(
            "Files stay as they are while they are read.",
            received=f"{path} has changed since it was first looked at",
            remedy="run the same command again when nothing writes to it",
        )


@dataclass(frozen=True, eq=False)
class ImageArrays:
    """Images in arrays of uint8, (images, height, width, channels) each; a cell is "x_train/17".

    Attributes:
        arrays: By name.
    """

    arrays: Mapping[str, np.ndarray]

    def read(self, names: Sequence[str], shape: ImageShape) -> np.ndarray:
        """See `ImageSource`."""
        images = room((len(names), shape.height, shape.width, shape.channels))
        of_array = pd.Series([name.rpartition("/")[0] for name in names])
        numbers = np.array([int(name.rpartition("/")[2]) for name in names])
        for array, indices in of_array.groupby(of_array).indices.items():
            pixels = self.arrays[str(array)]
            if pixels.shape[1:] == images.shape[1:]:
                images[indices] = pixels[numbers[indices]]
            else:
                for index in indices:
                    images[index] = fitted(pixels[numbers[index]], shape)
        return images

    def fingerprints(self, names: Sequence[str]) -> list[str]:
        """See `ImageSource`."""
        return [hashlib.sha256(self._one(name).tobytes()).hexdigest() for name in names]

    def missing(self, names: Sequence[str]) -> dict[int, str]:
        """See `ImageSource`."""
        found = {}
        for index, name in enumerate(names):
            array, _, number = name.rpartition("/")
            if not (array in self.arrays and number.isdecimal() and int(number) < len(self.arrays[array])):
                found[index] = "no image of the array"
        return found

    @property
    def usual(self) -> ImageShape:
        """See `ImageSource`."""
        height, width, channels = next(iter(self.arrays.values())).shape[1:]
        return ImageShape(height, width, min(3, channels))

    def size(self, name: str) -> tuple[int, int]:
        """See `ImageSource`."""
        height, width = self._one(name).shape[:2]
        return height, width

    def levels(self, name: str) -> np.ndarray:
        """See `ImageSource`; the array holds nothing but levels."""
        return self._one(name)[..., 0]

    def _one(self, name: str) -> np.ndarray:
        array, _, index = name.rpartition("/")
        return self.arrays[array][int(index)]


def image_arrays(arrays: Mapping[str, np.ndarray], origin: str) -> ImageArrays:
    """Arrays of one column, by name, as images.

    Raises:
        DataError: If they are no images, or not of one shape.
    """
    images = {name: pixels_of(array, f"{origin}, {name}") for name, array in arrays.items()}
    shapes = {name: array.shape[1:] for name, array in images.items()}
    if len(set(shapes.values())) > 1:
        raise DataError("All images of a file are of one shape.", received=f"{origin}: {shapes}")
    return ImageArrays(images)


MOST_BROKEN = 0.05  # of the files: with more, something is wrong with the folder


def look_at(root: Path, names: Sequence[str]) -> ImageFiles:
    """Look at the files of these names below `root`, without decoding the images."""
    heads = dict(zip(names, in_threads(partial(_head, root), names, workers=cores()), strict=True))
    whole = {name: head for name, head in heads.items() if isinstance(head, _Head)}
    return ImageFiles(
        root,
        {name: head.facts for name, head in whole.items()},
        {name: head.sha256 for name, head in whole.items()},
        {name: head for name, head in heads.items() if isinstance(head, str)},
        {name: head.stamp for name, head in whole.items()},
    )


@dataclass(frozen=True)
class _Head:
    facts: Facts
    sha256: str
    stamp: Stamp


def _head(root: Path, name: str) -> _Head | str:
    path = root / name
    try:
        with path.open("rb") as stream:
            stamp = stamp_of(os.fstat(stream.fileno()))
            return _Head(image_facts(path), hashlib.file_digest(stream, "sha256").hexdigest(), stamp)
    except DataError as broken:
        return broken.received
    except (OSError, ValueError) as refused:  # a ValueError where the name holds a zero byte
        return f"{path}: {getattr(refused, 'strerror', None) or refused}"
