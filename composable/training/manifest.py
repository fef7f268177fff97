"""What a checkpoint's files must be, and whose they are: a sha256 for each and for the manifest itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from composable.core.errors import ArtifactError
from composable.core.records import validated
from composable.training.identity import Identity
from composable.training.own_folder import ARRAYS, FACTS, MANIFEST, OUTCOME

_FORMAT = "composable.checkpoint/2"
_LARGEST = 2**26


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
