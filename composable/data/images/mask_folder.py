"""A folder with images and their masks as a table: one row per image, its mask the file of the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from composable.core.errors import DataError
from composable.data.images.conversion import SUFFIXES
from composable.data.images.files import MOST_BROKEN, look_at
from composable.data.images.folder import IMAGE, PART, parts_of, together
from composable.data.names import listed
from composable.data.schema import Notice
from composable.data.table import Table

MASK = "mask"
IMAGES, MASKS = "images", "masks"  # the folders


def is_mask_folder(folder: Path) -> bool:
    """Whether it holds `images` and `masks`, or parts (train, test, ...) that do."""
    return any(all((one / name).is_dir() for name in (IMAGES, MASKS)) for one in _part_folders(folder))


def read_mask_folder(folder: Path) -> Table:
    """List the images of a folder with their masks.

    The mask of `images/a/1.jpg` is `masks/a/1.png`, whatever either ends with; both folders may also lie
    below `train`, `test` and `validation`. An image without a mask can be predicted.

    Args:
        folder: The one that holds them.

    Returns:
        The columns `image` and `mask` (paths below the folder, nothing where there is no mask) and `part`.

    Raises:
        DataError: If more than a twentieth of the masks have no image, or two files have one name.
    """
    parts = parts_of(folder)
    rows: list[tuple[str, str | None, str]] = []
    alone: list[str] = []
    for below in _part_folders(folder):
        images, masks = (_named(below / name, folder) for name in (IMAGES, MASKS))
        part = parts.get(below.name, "") if below != folder else ""
        rows += [(path, masks.get(name), part) for name, path in images.items()]
        alone += [path for name, path in masks.items() if name not in images]
    _check(rows, alone, folder)
    frame = pd.DataFrame(rows, columns=[IMAGE, MASK, PART]).astype("str")
    frame = frame if parts else frame.drop(columns=PART)
    names = [str(name) for name in frame[IMAGE]]
    painted = [mask for _, mask, _ in rows if mask is not None]
    sources = {IMAGE: look_at(folder, names), MASK: look_at(folder, painted)}
    return Table(
        frame,
        str(folder),
        together({**sources[IMAGE].hashes, **sources[MASK].hashes}),
        notices=tuple(_without_image(alone)),
        sources=sources,
        usual_target=MASK,
        part=PART if parts else None,
    )


def _part_folders(folder: Path) -> list[Path]:
    """The folder itself, or those of its parts."""
    return [folder / name for name in parts_of(folder)] or [folder]


def _named(folder: Path, root: Path) -> Mapping[str, str]:
    """The paths of the images in a folder below the root, by their paths in the folder without an ending.

    Raises:
        DataError: If two differ in their endings alone.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix.lower() not in SUFFIXES or any(p.startswith(".") for p in relative.parts):
            continue
        name = relative.with_suffix("").as_posix()
        if name in found:
            raise DataError(
                "An image and its mask are found by their names, so each name may occur once.",
                received=f"{folder}: {Path(found[name]).name} and {path.name}",
                remedy="rename one of them, or take it out of the folder",
            )
        found[name] = path.relative_to(root).as_posix()
    return found


def _check(rows: list[tuple[str, str | None, str]], alone: list[str], folder: Path) -> None:
    without = [image for image, mask, _ in rows if mask is None]
    if not rows or len(without) == len(rows):
        raise DataError(
            f"A mask has the name of its image, in {MASKS} beside {IMAGES}.",
            received=f"{folder}: {len(rows)} images, none with a mask"
            + (f"; images {listed(without, 3)}" if without else "")
            + (f"; masks {listed(alone, 3)}" if alone else ""),
            remedy=f"name them alike: {IMAGES}/1.jpg and {MASKS}/1.png",
        )
    if len(alone) > MOST_BROKEN * len(rows):
        raise DataError(
            f"At most {MOST_BROKEN:.0%} of the masks may have no image.",
            received=f"{folder}: {len(alone)} masks beside {len(rows)} images: {listed(alone, 5)}",
            remedy="bring their images, or take those masks out of the folder",
        )


def _without_image(alone: list[str]) -> Iterator[Notice]:
    if alone:
        text = f"{len(alone)} masks have no image and are left out: {listed(alone, 20)}."
        yield Notice(text, "warning", MASK, remedy="bring their images, or take them out of the folder")
