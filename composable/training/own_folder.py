"""Folders that Composable made and may therefore delete; nothing of anybody else's is ever touched.

Such a folder holds an empty marker file from its first moment on. It is made, and goes, under another
name, `NAME.tmp`: `NAME` itself is never half there.
"""

from __future__ import annotations

from pathlib import Path

from composable.core.workspace import sync_folder

MARK = "composable.checkpoint.1"
ARRAYS, FACTS, OUTCOME, MANIFEST = "arrays.npz", "facts.json", "outcome.json", "manifest.json"
NAMES = (ARRAYS, FACTS, OUTCOME, MANIFEST, MARK)  # in the order of deletion: the marker goes last
_PARTIAL = ".tmp"


def partial_name(folder: Path) -> Path:
    """Where a folder lies while it comes to be or goes."""
    return folder.with_name(folder.name + _PARTIAL)


def begin(folder: Path) -> Path:
    """Make the partial folder of `folder`, and those above it that are missing.

    Raises:
        OSError: As the system raises it; also if something lies there already.
    """
    make_folder(folder.parent)
    partial = partial_name(folder)
    partial.mkdir()
    (partial / MARK).touch(exist_ok=False)
    return partial


def appear(folder: Path) -> None:
    """Give the partial folder, whose files are synced, its name, to last even if the power fails."""
    partial = partial_name(folder)
    sync_folder(partial)
    partial.rename(folder)
    sync_folder(folder.parent)


def is_ours(folder: Path) -> bool:
    """Whether Composable made this folder and nobody else put anything into it."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    if names := {path.name for path in folder.iterdir()}:
        return MARK in names and names <= set(NAMES)
    return folder.suffix == _PARTIAL  # the process was killed before it wrote the marker; the folder is empty


def remove(folder: Path) -> bool:
    """Delete a folder or a partial one if it is ours; whether it was.

    Raises:
        OSError: As the system raises it.
    """
    if not is_ours(folder):
        return False
    doomed = folder if folder.suffix == _PARTIAL else partial_name(folder)
    if doomed != folder:
        folder.rename(doomed)
    for path in sorted(doomed.iterdir(), key=lambda path: NAMES.index(path.name)):
        path.unlink()
    doomed.rmdir()
    return True


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each to last."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
