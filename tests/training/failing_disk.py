"""A disk that fails at its k-th operation: the process is killed, the power fails, or the disk is full.

What changes the disk counts as an operation: create, write, fsync, rename, unlink, rmdir, mkdir. After the
fatal one every further one fails too, since a dead process tidies nothing up. A kill loses nothing that was
written. When the power fails, half of every file that was not synced is lost; and so may be the names that
appeared in a folder since that was synced. Nothing is really synced, which would only be slow.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

KILL, TORN, POWER, FULL = "kill", "power cut, names stay", "power cut", "full"


class Killed(BaseException):
    """The process ends here."""


class Disk:
    """While entered, counts what the program does to the disk and makes operation number `fatal` fail.

    Attributes:
        calls: Kind and file name of every operation so far, in order.
        failed: Whether the fatal operation came.
    """

    def __init__(self, *, fatal: int | None = None, failure: str = KILL) -> None:
        self.calls: list[tuple[str, str]] = []
        self.failed = False
        self._fatal, self._failure = fatal, failure
        self._unsynced: dict[int, int] = {}  # a file's inode -> a handle on it
        self._undo: list[tuple[int, Callable[[], None]]] = []  # a folder's inode, what takes a name out of it
        self._real: dict[str, Any] = {}

    def __enter__(self) -> Disk:
        self._real = {
            name: getattr(os, name) for name in ("open", "mkdir", "rename", "unlink", "rmdir", "fsync")
        }
        for name in self._real:
            setattr(os, name, getattr(self, f"_{name}"))
        self._real["io.open"], io.open = io.open, self._io_open
        return self

    def __exit__(self, kind, *_) -> bool:
        io.open = self._real.pop("io.open")
        for name, function in self._real.items():
            setattr(os, name, function)
        return kind is Killed

    def after(self) -> None:
        """What the failure does to what was not synced."""
        if self._failure in (TORN, POWER):
            self.lose_power()

    def lose_power(self) -> None:
        """Lose what was not synced."""
        for handle in self._unsynced.values():
            os.ftruncate(handle, os.fstat(handle).st_size // 2)
            os.close(handle)
        for _, take_back in reversed(self._undo if self._failure == POWER else []):
            with suppress(FileNotFoundError):
                take_back()
        self._unsynced, self._undo = {}, []

    def do(self, kind: str, path: Any) -> None:
        """Count one operation, or fail."""
        needs_room = kind in ("create", "write", "mkdir", "fsync")
        if (needs_room or self._failure != FULL) if self.failed else len(self.calls) == self._fatal:
            self.failed = True
            raise OSError(errno.ENOSPC, "No space left on device") if self._failure == FULL else Killed
        self.calls.append((kind, Path(path).name))

    def _appeared(self, path: Any, take_back: Callable[[str, int], None]) -> None:
        folder = self._real["open"](Path(path).parent, os.O_RDONLY)
        self._undo.append((os.fstat(folder).st_ino, lambda: take_back(Path(path).name, folder)))

    def _io_open(self, file, mode="r", *arguments, **keywords):
        if mode in ("r", "rb"):
            return self._real["io.open"](file, mode, *arguments, **keywords)
        self.do("create", file)
        stream = _Written(file, mode, self)
        self._appeared(file, lambda name, folder: os.unlink(name, dir_fd=folder))
        handle = os.dup(stream.fileno())
        self._unsynced[os.fstat(handle).st_ino] = handle
        return stream

    def _open(self, path, flags, *arguments, **keywords):
        if not flags & os.O_CREAT:
            return self._real["open"](path, flags, *arguments, **keywords)
        self.do("create", path)
        handle = self._real["open"](path, flags, *arguments, **keywords)
        self._appeared(path, lambda name, folder: os.unlink(name, dir_fd=folder))
        return handle

    def _mkdir(self, path, *arguments):
        self.do("mkdir", path)
        self._real["mkdir"](path, *arguments)
        self._appeared(path, lambda name, folder: shutil.rmtree(name, dir_fd=folder))

    def _rename(self, old, new):
        self.do("rename", new)
        self._real["rename"](old, new)
        before = Path(old).name
        self._appeared(new, lambda name, at: os.rename(name, before, src_dir_fd=at, dst_dir_fd=at))

    def _unlink(self, path):
        self.do("unlink", path)
        self._real["unlink"](path)

    def _rmdir(self, path):
        self.do("rmdir", path)
        self._real["rmdir"](path)

    def _fsync(self, handle):
        self.do("fsync", Path(f"/proc/self/fd/{handle}").readlink())
        inode = os.fstat(handle).st_ino
        self._undo = [entry for entry in self._undo if entry[0] != inode]
        if inode in self._unsynced:
            os.close(self._unsynced.pop(inode))


class _Written(io.FileIO):
    """A file of which every write counts; the fatal one is done by half."""

    def __init__(self, path, mode, disk: Disk) -> None:
        super().__init__(path, mode)
        self._disk, self._path = disk, path

    def write(self, content) -> int:
        try:
            self._disk.do("write", self._path)
        except BaseException:
            super().write(memoryview(content)[: len(content) // 2])
            raise
        return super().write(content)
