"""Room for encoded rows: in memory, or where they would fill it, in a file that is mapped into it."""

from __future__ import annotations

import math
import tempfile

import numpy as np

from composable.core.machine import memory_gb

SHARE = 0.25  # of the machine's memory


def room(shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray:
    """An array to be filled; where it is large, an `np.memmap` of a file that vanishes with it.

    The file lies where `tempfile` puts its own: TMPDIR sets where.
    """
    memory = memory_gb()
    if memory is None or math.prod(shape) * np.dtype(dtype).itemsize <= SHARE * memory * 1e9:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)
