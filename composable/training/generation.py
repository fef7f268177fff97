"""One state of a training as a folder that is either complete or not there at all.

Its files are written and synced one by one into a folder of another name, the manifest last; then that
folder is synced, renamed, and the folder above it synced. So no kill and no power cut leaves a part of it
under its name.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composable.core.errors import ComposableError
from composable.core.workspace import finite
from composable.training.array_file import Hashed, check_arrays, read_arrays, write_arrays
from composable.training.identity import Identity
from composable.training.manifest import Manifest, StoredFile, damaged, sealed, verify
from composable.training.own_folder import (
    ARRAYS,
    FACTS,
    MANIFEST,
    OUTCOME,
    appear,
    begin,
    partial_name,
    remove,
)
from composable.training.state import State

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, eq=False)
class Generation:
    """What one folder holds.

    Attributes:
        state: Of the training.
        identity: Whose state it is.
        best: Whether it was the best so far.
        outcome: What a stage came to, where this is its end; plain JSON, in which numbers that aren't finite
            become null.
    """

    state: State
    identity: Identity
    best: bool = False
    outcome: Mapping[str, Any] | None = None


class DiskFullError(ComposableError, OSError):
    """There is no room for a checkpoint; those before it are as they were.

    Attributes:
        reason: Why a trial failed.
        needed: Bytes that it takes.
    """

    exit_code = 3
    reason = "disk"

    def __init__(self, needed: int, place: Path) -> None:
        self.needed = needed
        super().__init__(
            "A checkpoint must fit on the disk.",
            received=f"{place}: {needed} bytes needed, {_free(place)} free",
            remedy="free some space and run the same command again; it goes on from the last checkpoint",
        )


def write_generation(folder: Path, generation: Generation) -> None:
    """Make `folder`, which isn't there yet; the arrays must not change before this returns.

    Raises:
        ArtifactError: If an array isn't made of numbers.
        DiskFullError: With nothing visible; what was written is gone.
        OSError: As the system raises it; likewise.
    """
    check_arrays(generation.state.arrays)
    texts = {FACTS: json.dumps(dict(generation.state.facts))}
    if generation.outcome is not None:
        texts[OUTCOME] = json.dumps(finite(generation.outcome), indent=1)
    try:
        _fill(begin(folder), generation, texts)
        appear(folder)
    except OSError as failed:
        with suppress(OSError):
            remove(partial_name(folder))
        if failed.errno not in _FULL:
            raise
        arrays = sum(array.nbytes for array in generation.state.arrays.values())
        raise DiskFullError(arrays + sum(map(len, texts.values())), folder.parent) from failed


def read_generation(folder: Path) -> Generation:
    """What `write_generation` wrote, and nothing else.

    Raises:
        DamagedError: Naming the file that was altered or is missing.
    """
    manifest = verify(folder)
    try:
        with (folder / ARRAYS).open("rb") as stream:
            state = State(read_arrays(stream), _json(folder / FACTS))
        outcome = _json(folder / OUTCOME) if OUTCOME in manifest.files else None
    except (OSError, ValueError, RecursionError) as broken:
        raise damaged(folder, str(broken)) from broken
    return Generation(state, manifest.identity, manifest.best, outcome)


def _fill(partial: Path, generation: Generation, texts: Mapping[str, str]) -> None:
    files = {
        ARRAYS: _write(partial / ARRAYS, lambda stream: write_arrays(stream, generation.state.arrays)),
        **{name: _write_text(partial / name, text) for name, text in texts.items()},
    }
    _write_text(partial / MANIFEST, sealed(Manifest(generation.identity, generation.best, files)))


def _write(path: Path, fill: Callable[[Hashed], object]) -> StoredFile:
    with path.open("xb") as stream:
        hashed = Hashed(stream)
        fill(hashed)
        stream.flush()
        os.fsync(stream.fileno())
    return StoredFile(hashed.bytes, hashed.sha256)


def _write_text(path: Path, text: str) -> StoredFile:
    return _write(path, lambda stream: stream.write(text.encode(errors="backslashreplace")))


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _free(place: Path) -> int | str:
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return "an unknown number"
