"""A folder of images as a table: a row per file, with the name of its folder as its class, or its mask."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from composable.core.errors import DataError
from composable.data.images.pixels import SUFFIXES
from composable.data.images.source import MOST_BROKEN, look_at
from composable.data.names import listed
from composable.data.schema import Notice
from composable.data.split import PARTS
from composable.data.table import Table

IMAGE, CLASS, PART = "image", "class", "part"
_JUNK = frozenset({"thumbs.db", "desktop.ini"})


def is_image_folder(folder: Path) -> bool:
    """Whether there is an image in it, or in a folder of it."""
    return next(_images(folder), None) is not None


def read_image_folder(folder: Path) -> Table:
    """List the images of a folder.

    `folder/cat/1.jpg` is of the class "cat". Where all folders in it are called train, test, validation or
    alike, `folder/train/cat/1.jpg` is a training row of the class "cat". Images directly in the folder have
    no class: they can be predicted. What is below a class's folder is of that class, however deep. Hidden
    files and folders, and files that no image format's suffix ends, are passed over.

    Args:
        folder: The folder.

    Returns:
        The columns `image` (paths below the folder), `class` and `part`, as far as there are any; its
        `images` has the images. Broken files are left out and named in a notice.

    Raises:
        DataError: If there is no image, some lie beside folders of classes, or more than a twentieth of
            the files are broken.
    """
    paths = sorted(_images(folder))
    if not paths:
        raise DataError(
            "A folder of images holds images.",
            received=f"{folder}: no file that ends like an image ({', '.join(sorted(SUFFIXES))})",
            remedy="name the folder above the folders of the classes",
        )
    parts = parts_of(folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    files = look_at(folder, names)
    _check_broken(files.broken, len(names), folder)
    frame = _frame(folder, list(files.facts), parts)
    notices = (*_broken_notice(files.broken), *_passed_over(folder), *_empty(folder, parts), *_classes(frame))
    return Table(
        frame,
        str(folder),
        together(files.hashes),
        notices=notices,
        sources={IMAGE: files},
        usual_target=CLASS if CLASS in frame else None,
        part=PART if PART in frame else None,
    )


def _images(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not _hidden(path, folder) and path.is_file()
    )


def _hidden(path: Path, folder: Path) -> bool:
    return any(name.startswith(".") for name in path.relative_to(folder).parts)


def _folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def parts_of(folder: Path) -> Mapping[str, str]:
    """Each part's name by that of its folder; nothing where the folders are those of classes."""
    names = [entry.name for entry in _folders(folder)]
    found = {name: PARTS[name.lower()] for name in names if name.lower() in PARTS}
    return found if found and len(found) == len(names) and "train" in found.values() else {}


def _frame(folder: Path, names: Sequence[str], parts: Mapping[str, str]) -> pd.DataFrame:
    split = [name.split("/") for name in names]
    columns = {IMAGE: names}
    depth = 2 if parts else 1
    shallow = [name for name, path in zip(names, split, strict=True) if len(path) <= depth]
    if len(shallow) == len(names) and not parts:
        return pd.DataFrame(columns, dtype="str")
    if shallow:
        raise DataError(
            "Images lie either in one folder per class, or all without a class.",
            received=f"{folder}: {len(shallow)} beside the folders of the classes: {listed(shallow, 3)}",
            remedy="move them into the folders of their classes",
        )
    if parts:
        columns[PART] = [parts[path[0]] for path in split]
    classes = pd.Categorical([path[depth - 1] for path in split])  # names, even those that look like numbers
    return pd.DataFrame(columns, dtype="str").assign(**{CLASS: classes})


def _check_broken(broken: Mapping[str, str], files: int, folder: Path) -> None:
    if len(broken) == files or len(broken) > max(1, MOST_BROKEN * files):
        first = next(iter(broken.values()))
        raise DataError(
            f"At most {MOST_BROKEN:.0%} of the images may be broken.",
            received=f"{folder}: {len(broken)} of {files}: {listed(broken, 5)}; the first: {first}",
            remedy="repair those files, or take them out of the folder",
        )


def _broken_notice(broken: Mapping[str, str]) -> Iterator[Notice]:
    if broken:
        text = f"Broken images, {len(broken)} in all, are left out: {listed(broken, 20)}."
        yield Notice(text, "warning", IMAGE, remedy="repair those files, or take them out of the folder")


def _passed_over(folder: Path) -> Iterator[Notice]:
    others = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() not in SUFFIXES
        and not _hidden(path, folder)
        and path.name.lower() not in _JUNK
        and path.is_file()
    )
    if others:
        yield Notice(f"{len(others)} files are no images and are passed over: {listed(others, 5)}.")


def _empty(folder: Path, parts: Mapping[str, str]) -> Iterator[Notice]:
    above = [folder / name for name in parts] or [folder]
    empty = [
        entry.relative_to(folder).as_posix()
        for one in above
        for entry in _folders(one)
        if not is_image_folder(entry)
    ]
    if empty:
        yield Notice(f"Folders without images make no class: {listed(empty)}.", "warning", CLASS)


def _classes(frame: pd.DataFrame) -> Iterator[Notice]:
    """Classes that are in the training rows alone, or not among them."""
    if PART not in frame:
        return
    of_part = {str(part): set(rows) for part, rows in frame.groupby(PART)[CLASS]}
    for part, classes in of_part.items():
        if unknown := sorted(classes - of_part["train"]):
            text = f"Classes of the {part} images that no training image has: {listed(unknown)}."
            yield Notice(text, "warning", CLASS)


def together(hashes: Mapping[str, str]) -> str:
    """One hash of all files, from the hash of each by its name."""
    every = hashlib.sha256()
    for name, sha256 in sorted(hashes.items()):
        every.update(f"{sha256} {name}\n".encode("utf-8", "surrogateescape"))
    return every.hexdigest()


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
