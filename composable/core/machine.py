"""The machine at hand: its processor, and the cores and the memory that this process can use."""

from __future__ import annotations

import os
import platform
import time
from functools import cache
from pathlib import Path
from typing import Any


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
