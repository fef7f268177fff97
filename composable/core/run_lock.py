"""One process at a time writes a run folder."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from composable.core.errors import ArtifactError

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
