"""A first look at image files: their heads and hashes, and what is wrong with those that are broken."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from composable.core.errors import DataError
from composable.core.machine import cores
from composable.core.threads import in_threads
from composable.data.images.conversion import Facts, image_facts
from composable.data.images.source import ImageFiles, Stamp, stamp_of

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
