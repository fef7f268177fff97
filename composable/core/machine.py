"""The machine at hand: its processor, the cores and the memory that this process can use, the user's cache.

In the cache lie compiled programs, so that the next process needn't compile them again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

MOST_BYTES = 2 * 10**9
MEGABYTE = 1_000_000


def machine() -> dict[str, Any]:
    """The machine as facts: `processor`, `cores` and `memory_gb`."""
    return {"processor": processor(), "cores": cores(), "memory_gb": memory_gb()}


def processor() -> str:
    """The processor's name, as far as the system has one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def cores() -> int:
    """The cores that this process may use, which a container or `taskset` may have limited."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_gb() -> float | None:
    """The machine's memory in units of 10^9 bytes; None where the system has no such number."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def resident_bytes(pid: int) -> float:
    """The resident memory of a process; 0 where the system doesn't report it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    import resource

    return float(pages * resource.getpagesize())


@cache
def operations_per_second() -> float:
    """Multiplications and additions per second in a product of two matrices, measured once."""
    import numpy as np  # late: asking for the cores alone needs none of it

    a = np.ones((1024, 1024), "float32")
    seconds = []
    for _ in range(4):
        began = time.monotonic()
        np.matmul(a, a)
        seconds.append(time.monotonic() - began)
    return 2 * len(a) ** 3 / min(seconds)


def compile_cache() -> Path | None:
    """Where they are; None where nothing can be written.

    A program fits one processor alone: where a home is shared between machines each kind has its folder.
    """
    return user_cache(f"compiled-{hashlib.sha256(processor().encode()).hexdigest()[:8]}")


def user_cache(name: str) -> Path | None:
    """A folder in the user's cache, `$XDG_CACHE_HOME` or `~/.cache`; None where nothing can be written."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = root / "composable" / name
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if writable(folder) else None


def prune(folder: Path, most_bytes: int = MOST_BYTES) -> None:
    """Delete what was written longest ago, until the rest fits; another process may be doing the same."""
    found = []
    for path in folder.iterdir():
        try:
            found.append((path.stat().st_mtime, path.stat().st_size, path))
        except OSError:
            continue
    excess = sum(size for _, size, _ in found) - most_bytes
    for _, size, path in sorted(found):
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= size


def writable(folder: Path) -> bool:
    """Whether a file can be made there; tried, since permission bits don't show read-only mounts."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
