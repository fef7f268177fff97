"""Things of many values (images, say) with labels or masks in one `.npz` file, by the arrays' usual names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.images.folder import CLASS, IMAGE, MASK, PART
from composable.data.images.pixels import levels_of
from composable.data.images.source import ImageArrays, image_arrays
from composable.data.kinds import source_of
from composable.data.names import listed, shown
from composable.data.split import PARTS
from composable.data.table import Table

NAMES = "class_names"
_MASKED = 3  # axes of masks: rows, height, width
_USUAL = "x_train, y_train and x_test, y_test (or x_val, y_val); or x and y alone"


def read_arrays_file(path: Path) -> Table:
    """Read what a file holds; see `arrays_table`.

    Args:
        path: Of the file. Nothing in it is executed.

    Raises:
        DataError: If the file is damaged, or its arrays are called or shaped otherwise.
    """
    arrays = _loaded(path)
    with path.open("rb") as stream:
        fingerprint = hashlib.file_digest(stream, "sha256").hexdigest()
    return arrays_table(arrays, str(path), fingerprint)


def arrays_table(arrays: Mapping[str, np.ndarray], origin: str, fingerprint: str) -> Table:
    """Images, (rows, height, width) or (rows, height, width, channels), or what else a kind of input takes.

    Arrays are called x_train, y_train, x_test, y_test, x_val, y_val, or x and y; labels are (rows,) or
    (rows, 1), masks (rows, height, width). Where there are `class_names`, labels are numbers of these.

    Args:
        arrays: By name.
        origin: For errors.
        fingerprint: Of all of them.

    Returns:
        The column of the kind, such as `image` ("x_train/17"), `class` or `mask`, and `part`, as far as there
        are any.

    Raises:
        DataError: If arrays are called or shaped otherwise.
    """
    parts = {name[2:]: PARTS.get(name[2:]) for name in arrays if name.startswith("x_") and name[2:] in PARTS}
    found = {f"x_{suffix}": part for suffix, part in parts.items()} or ({"x": None} if "x" in arrays else {})
    if not found:
        raise DataError(
            f"An .npz file has the arrays {_USUAL}.",
            received=f"{origin}: {listed(arrays)}",
            remedy="save them under these names: numpy.savez(path, x_train=..., y_train=...)",
        )
    held = {name: arrays[name] for name in found}
    kind, source = source_of(held, origin) or (IMAGE, image_arrays(held, origin))
    masks: dict[str, np.ndarray] = {}
    frames: list[pd.DataFrame] = []
    for name, part in found.items():
        rows = len(held[name])
        columns: dict[str, Any] = {kind: [f"{name}/{index}" for index in range(rows)]}
        labels_name = f"y{name[1:]}"
        if (labels := arrays.get(labels_name)) is not None and labels.ndim >= _MASKED:
            masks[labels_name] = _masks(labels, held[name], f"{origin}, {labels_name}")
            columns[MASK] = [f"{labels_name}/{index}" for index in range(rows)]
        elif labels is not None:
            columns[CLASS] = _labels(labels, rows, arrays.get(NAMES), f"{origin}, {labels_name}")
        if part is not None:
            columns[PART] = [part] * rows
        frames.append(pd.DataFrame(columns))
    if len({(CLASS in frame, MASK in frame) for frame in frames}) > 1:
        raise DataError(
            "Every array x has its array y of labels, or each one of masks.",
            received=f"{origin}: {listed(arrays)}",
            remedy=f"save {_USUAL}",
        )
    frame = pd.concat(frames, ignore_index=True)
    if CLASS in frame and frame[CLASS].dtype == object:
        frame[CLASS] = frame[CLASS].astype("category")  # names, even those that look like numbers
    return Table(
        frame,
        origin,
        fingerprint,
        sources={kind: source} | ({MASK: ImageArrays(masks)} if masks else {}),
        usual_target=next((name for name in (CLASS, MASK) if name in frame), None),
        part=PART if PART in frame else None,
    )


def _loaded(path: Path) -> Mapping[str, np.ndarray]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as damaged:  # of any kind: a zip of arrays has many ways to be broken
        if "Object arrays" in str(damaged):
            raise DataError(
                "Rows of unequal length can't be read from an .npz file: each array has one shape.",
                received=f"{path}: an array of objects",
                remedy="fill the shorter series up with NaN to (rows, steps, channels), or fit a mapping of "
                "arrays in Python",
            ) from damaged
        raise DataError(
            "The .npz file must be whole, and hold arrays of numbers or text.",
            received=f"{path}: {type(damaged).__name__}: {str(damaged)[:200]}",
        ) from damaged


def _masks(masks: np.ndarray, images: np.ndarray, origin: str) -> np.ndarray:
    """Levels, (rows, height, width, 1) of uint8, as large as the images."""
    levels = levels_of(masks, origin)
    if levels.shape[:3] != images.shape[:3]:
        raise DataError(
            "There is one mask per image, of the same height and width.",
            received=f"{origin}: {masks.shape} for images {images.shape}",
        )
    return levels


def _labels(labels: np.ndarray, rows: int, names: np.ndarray | None, origin: str) -> np.ndarray:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (rows,):
        raise DataError("There is one label per row.", received=f"{origin}: {labels.shape} for {rows} rows")
    if labels.dtype.kind == "f":
        return labels
    if names is None or labels.dtype.kind not in "iu":
        return labels.astype(str).astype(object)
    if labels.min() < 0 or labels.max() >= len(names):
        wrong = labels[(labels < 0) | (labels >= len(names))][0]
        raise DataError(
            f"Labels are numbers of {shown(NAMES)}.", received=f"{origin}: {wrong}, of {len(names)} names"
        )
    return names.astype(str).astype(object)[labels]
