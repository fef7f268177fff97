"""Predicted masks as files: a PNG per image in one folder, and a table of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from composable.core.errors import ConfigError

if TYPE_CHECKING:  # these take long to import, and a wrong --out should be refused at once
    import numpy as np
    import pandas as pd

TABLE = "masks.csv"


def predicts_masks(run: str) -> bool:
    """Whether a run folder says so; what is wrong with it comes to light when it is opened."""
    try:
        problem = json.loads((Path(run) / "run.json").read_text(encoding="utf-8"))["problem"]
        return any(head["kind"] == "mask" for head in problem["heads"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_mask_folder(out: Path) -> None:
    """Refuse, before any work, a folder that masks can't be written to.

    Raises:
        ConfigError: If it is a file, or holds other files than masks that were written before.
    """
    if (out.exists() and not out.is_dir()) or out.suffix.lower() == ".csv":
        raise ConfigError(
            "Masks are written to a folder, one PNG per image.",
            received=f"--out {out}",
            remedy=f"--out {out.with_suffix('')}",
        )
    if out.is_dir() and any(out.iterdir()) and not (out / TABLE).is_file():
        raise ConfigError(
            "Masks are written to a new folder, an empty one, or one of earlier masks.",
            received=f"{out} holds other files",
            remedy="choose another --out",
        )


def write_masks(out: Path, frame: pd.DataFrame, masks: Sequence[np.ndarray], *, raw: bool) -> None:
    """Write each mask under the name of its image, and `masks.csv` with both names and the shares."""
    from PIL import Image

    from composable.cli.csv_output import csv_text
    from composable.core.workspace import write_atomically

    names = list(mask_names([str(name) for name in frame["file"]]))
    for name, mask in zip(names, masks, strict=True):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(out / name)
    described = frame.copy()
    described.insert(1, "mask", names)
    write_atomically(out / TABLE, csv_text(described, raw=raw))


def mask_names(images: Sequence[str]) -> Iterator[str]:
    """A path inside the folder for each image: its own with another ending, all different."""
    taken: set[str] = set()
    for image in images:
        path = PurePath(image)
        inside = PurePath(*(part for part in path.parts if part not in ("..", path.anchor)))
        name = inside.with_suffix(".png").as_posix()
        if name in taken:  # a.jpg beside a.png
            name = f"{inside.as_posix()}.png"
        number = 2
        while name in taken:
            name, number = inside.with_name(f"{inside.name}-{number}.png").as_posix(), number + 1
        taken.add(name)
        yield name
