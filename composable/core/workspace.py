"""The run folder: what is written where, each file whole or not at all, by one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from composable.core.errors import ArtifactError


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a kill at any moment leaves the old content or the new, never a part.

    What UTF-8 can't hold, such as a file name in another encoding (PEP 383), is written as its code.
    """
    with atomic_file(path) as stream:
        stream.write(content.encode(errors="backslashreplace") if isinstance(content, str) else content)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write part after part, which is there when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".tmp")
    with partial.open("wb") as stream:
        try:
            yield stream
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Write plain JSON; a NaN or infinity becomes null, since JSON has neither."""
    write_atomically(path, json.dumps(finite(value), indent=1, ensure_ascii=False))


def read_json(path: Path, *, remedy: str) -> dict[str, Any]:
    """The JSON object in a file that this program wrote.

    Raises:
        ArtifactError: Naming the file, if it is missing, damaged, or something else; with this remedy.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as damaged:
        raise ArtifactError(
            f"{path.name} must be readable JSON.", received=f"{path}: {damaged}", remedy=remedy
        ) from damaged
    if not isinstance(value, dict):
        raise ArtifactError(
            f"{path.name} must hold a JSON object.",
            received=f"{path}: {type(value).__name__}",
            remedy=remedy,
        )
    return value


def append_event(run: Path, event: str, facts: Mapping[str, Any]) -> None:
    """Append one line to `events.jsonl`; a reader may follow the file while the run goes on."""
    fields = {"time": round(time.time(), 3), "event": event, **finite(dict(facts))}
    line = json.dumps(fields, ensure_ascii=False)
    with (run / "events.jsonl").open("a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(line + "\n")


def finite(value: Any) -> Any:
    """A copy for JSON: tuples become lists, and numbers that are not finite become None."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


_SAFE_LOG = (3, 51, 3)  # the version of SQLite whose write-ahead log is safe


def journal_mode() -> str:
    """How SQLite keeps a database whole: its write-ahead log where that is safe, else a rollback journal.

    Before 3.51.3 the log could damage a database that two connections write or check.
    """
    return "WAL" if sqlite3.sqlite_version_info >= _SAFE_LOG else "DELETE"


LOCK = "run.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder until the block ends.

    The system gives the lock back when its process ends, however that happens, so a file that was left behind
    blocks nobody. On a file system without locks the block runs all the same.

    Raises:
        ArtifactError: If another process, or another fit of this one, holds it; names which.
    """
    path = folder / LOCK
    descriptor = _acquired(path)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held, so that nobody else's is removed
        os.close(descriptor)


def holder(folder: Path) -> str:
    """Which process writes a run folder now; "" where none does, or where there are no locks."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 200).decode(errors="replace") or "another process"
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return ""


def _acquired(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            holder = os.read(descriptor, 200).decode(errors="replace")
            os.close(descriptor)
            raise ArtifactError(
                "One process at a time writes a run folder.",
                received=f"{path.parent} is being written by {holder or 'another process'}",
                remedy="wait until it ends, stop it, or choose another --out",
            ) from held
        except OSError:  # locks aren't supported here
            return descriptor
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)  # its owner removed the file meanwhile: the lock of a file that is gone is none
