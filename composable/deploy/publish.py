"""A folder that appears completely or not at all, with the sha256 of every file in it.

Files are written into `NAME.tmp` and synced; the old folder, if there is one, steps aside to `NAME.old`, the
new one takes its name, the old one goes. If the process is killed at any moment, one complete folder is left,
and `located` finds it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from composable.core.errors import ArtifactError
from composable.core.workspace import sync_folder

MANIFEST = "manifest.json"
FORMAT = "composable.manifest/1"
FILE_BYTES = 2 * 2**30
_ATTEMPTS = 5  # a reader that meets a writer looks again; a swap takes milliseconds


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `target` when the block ends without an error.

    Raises:
        ArtifactError: If `target` holds something that this function didn't write.
    """
    target = target.absolute()
    _refuse_foreign(target)
    partial, old = target.with_name(target.name + ".tmp"), target.with_name(target.name + ".old")
    target.parent.mkdir(parents=True, exist_ok=True)
    if partial.exists():
        shutil.rmtree(partial)
    if old.exists() and (target / MANIFEST).exists():
        shutil.rmtree(old)
    partial.mkdir()
    try:
        yield partial
        _write_manifest(partial)
        for path in partial.iterdir():
            _sync_file(path)
        sync_folder(partial)
        if (target / MANIFEST).exists():
            target.rename(old)
        elif target.exists():
            target.rmdir()  # empty, or `_refuse_foreign` had refused it
        partial.rename(target)
        sync_folder(target.parent)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def located(folder: Path) -> Path:
    """Where the folder's content lies now: beside it, if a writer was stopped between two renames."""
    old = folder.with_name(folder.name + ".old")
    return old if not folder.exists() and (old / MANIFEST).exists() else folder


def read_verified(folder: Path) -> dict[str, bytes]:
    """Every file of a folder that `whole_folder` wrote, once, each with the content that its manifest states.

    Raises:
        ArtifactError: Naming the file that was altered, is missing or was added.
    """
    for attempt in range(_ATTEMPTS):
        current = located(folder)
        before = _manifest_text(current)
        try:
            return _read(current, before)
        except (ArtifactError, OSError) as broken:
            if attempt == _ATTEMPTS - 1 or _manifest_text(located(folder)) == before:
                if isinstance(broken, ArtifactError):
                    raise
                raise _refusal(current, str(broken)) from broken
            time.sleep(0.02 * (attempt + 1))
    raise _refusal(folder, "the folder keeps changing")


def _read(folder: Path, manifest: str | None) -> dict[str, bytes]:
    if manifest is None:
        raise _refusal(folder, f"{MANIFEST} is missing" if folder.is_dir() else "there is no such folder")
    stated = _entries(folder, manifest)
    found = {path.name for path in folder.iterdir()}
    if added := sorted(found - set(stated) - {MANIFEST}):
        raise _refusal(folder, f"{added[0]} was added")
    if missing := sorted(set(stated) - found):
        raise _refusal(folder, f"{missing[0]} is missing")
    contents = {}
    for name, (size, digest) in stated.items():
        path = folder / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size != size or size > FILE_BYTES:
            raise _refusal(folder, f"{name} was altered")
        contents[name] = path.read_bytes()
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            raise _refusal(folder, f"{name} was altered")
    return contents


def _entries(folder: Path, manifest: str) -> dict[str, tuple[int, str]]:
    try:
        body = json.loads(manifest)
        if body["format"] != FORMAT:
            raise ValueError(body["format"])
        return {str(name): (int(file["bytes"]), str(file["sha256"])) for name, file in body["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as broken:
        raise _refusal(folder, f"{MANIFEST} was altered") from broken


def _write_manifest(folder: Path) -> None:
    files = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        files[path.name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / MANIFEST).write_text(json.dumps({"format": FORMAT, "files": files}, indent=1), encoding="utf-8")


def _manifest_text(folder: Path) -> str | None:
    try:
        return (folder / MANIFEST).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _sync_file(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _refuse_foreign(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ArtifactError(
            "The target must be a folder.", received=str(target), remedy="name another folder"
        )
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).exists():
        raise ArtifactError(
            "The target must be new, empty, or written by Composable: nothing of yours is overwritten.",
            received=f"{target} holds {next(target.iterdir()).name}",
            remedy="name another folder",
        )


def _refusal(folder: Path, found: str) -> ArtifactError:
    return ArtifactError(
        f"Every file must be as {MANIFEST} states.",
        received=f"{folder}: {found}",
        remedy="copy the folder again from where it was made, or fit again",
    )
