"""One state of a training as a folder that is either complete or not there at all.

Its files are written and synced one by one into a folder of another name, the manifest last; then that
folder is synced, renamed, and the folder above it synced. So no kill and no power cut leaves a part of it
under its name.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from composable.core.errors import ArtifactError, ComposableError
from composable.core.records import validated
from composable.core.workspace import finite, sync_folder
from composable.training.array_file import Hashed, check_arrays, read_arrays, write_arrays
from composable.training.identity import Identity, State, check_identity
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

_FORMAT = "composable.checkpoint/2"
_LARGEST = 2**26
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class StoredFile:
    """The size and the content of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Whose state it is, whether it was the best so far, and the files that make it up."""

    identity: Identity
    best: bool
    files: Mapping[str, StoredFile]


class DamagedError(ArtifactError):
    """A checkpoint isn't as it was written."""


def sealed(manifest: Manifest) -> str:
    """The manifest as JSON, headed by its format and closed by the sha256 of all the rest."""
    identity = asdict(replace(manifest.identity, versions=dict(manifest.identity.versions)))
    files = {name: asdict(file) for name, file in manifest.files.items()}
    body = {"format": _FORMAT, "identity": identity, "best": manifest.best, "files": files}
    return json.dumps({**body, "seal": _seal(body)}, indent=1)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder; its files may still be damaged, see `verify`.

    Raises:
        DamagedError: If there is none or it was altered.
    """
    path = folder / MANIFEST
    try:
        manifest = validated(Manifest, _body(path), origin=path.name)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as broken:
        raise damaged(path, str(broken)) from broken
    if not {ARRAYS, FACTS} <= manifest.files.keys() <= {ARRAYS, FACTS, OUTCOME}:
        raise damaged(path, f"it states the files {sorted(manifest.files)}")
    return manifest


def verify(folder: Path) -> Manifest:
    """The manifest of a folder whose every file is as the manifest states.

    Raises:
        DamagedError: Naming the file that was altered or is missing.
    """
    manifest = read_manifest(folder)
    for name, stated in manifest.files.items():
        if why := _difference(folder / name, stated):
            raise damaged(folder / name, why)
    return manifest


def damaged(path: Path, why: str) -> DamagedError:
    """The error that names the file."""
    return DamagedError(
        "A checkpoint must be as it was written.",
        received=f"{path}: {why}",
        remedy="delete that folder; the same command trains again what it held",
    )


def _difference(path: Path, stated: StoredFile) -> str:
    """What is wrong with a file; one of another size isn't read."""
    try:
        if path.is_symlink():
            return "it is a link"
        if (found := path.stat().st_size) != stated.bytes:
            return f"{found} bytes instead of {stated.bytes}"
        with path.open("rb") as stream:
            same = hashlib.file_digest(stream, "sha256").hexdigest() == stated.sha256
        return "" if same else "its sha256 is not the one in the manifest"
    except OSError as broken:
        return str(broken)


def _body(path: Path) -> dict[str, Any]:
    if path.parent.is_symlink() or path.stat().st_size > _LARGEST:
        raise ValueError("its folder is a link, or it is too large")
    body = json.loads(path.read_text("utf-8"))
    if not isinstance(body, dict) or body.pop("seal", None) != _seal(body):
        raise ValueError("its content is not the one that was sealed")
    if (found := body.pop("format", None)) != _FORMAT:
        raise ValueError(f"its format is {found!r} and not {_FORMAT!r}")
    return body


def _seal(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


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


@dataclass(frozen=True, eq=False)
class StageResult:
    """What a stage left: its last state and its outcome, as `outcome.json` has it."""

    state: State
    outcome: Mapping[str, Any]


def commit(folder: Path, result: StageResult, identity: Identity) -> bool:
    """Make a stage's result visible as `folder`, unless one is.

    Args:
        folder: Of the stage's result.
        result: The state, and the outcome as plain JSON (numbers that aren't finite become null).
        identity: Of the training.

    Returns:
        Whether it is this result that is visible now. If not, there was one, and it stays.

    Raises:
        ArtifactError: If something else lies at `folder`, or the result of another training.
        DiskFullError: With nothing visible.
        OSError: As the system raises it; likewise.
    """
    if committed(folder, identity, notify=lambda _: None) is not None:
        sync_folder(folder.parent)  # the kill may have come before the rename was there to last
        return False
    for path in (partial_name(folder), folder):
        if (path.exists() or path.is_symlink()) and not remove(path):
            raise ArtifactError(
                "A stage's result replaces nothing but a damaged one of its own.",
                received=f"{path}, which isn't Composable's",
                remedy="move it elsewhere",
            )
    write_generation(folder, Generation(result.state, identity, outcome=result.outcome))
    return True


def committed(folder: Path, identity: Identity, *, notify: Callable[[str], None]) -> StageResult | None:
    """The result of a stage that has ended; None if it has not, or, with a notice, if the result is damaged.

    Raises:
        ArtifactError: If it is the result of another training, naming the first difference.
    """
    if not folder.exists():
        return None
    try:
        generation = read_generation(folder)
    except DamagedError as broken:
        notify(f"A damaged result is skipped, its stage is done again: {broken.received}.")
        return None
    check_identity(generation.identity, identity, origin=str(folder))
    return StageResult(generation.state, generation.outcome or {})
