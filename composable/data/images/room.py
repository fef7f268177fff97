"""Room for decoded images: in memory, or where they would fill it, in a file that is mapped into it."""

from __future__ import annotations

import math
import tempfile

import numpy as np

from composable.core.machine import memory_gb

SHARE = 0.25  # of the machine's memory, for all images of a fit


def room(shape: tuple[int, ...]) -> np.ndarray:
    """An array of uint8 to be filled; where it is large, an `np.memmap` of a file that vanishes with it.

    The file lies where `tempfile` puts its own: TMPDIR says where.
    """
    memory = memory_gb()
    if memory is None or math.prod(shape) <= SHARE * memory * 1e9:
        return np.empty(shape, np.uint8)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)
