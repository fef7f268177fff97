"""Permutations that are far from one another."""

from __future__ import annotations

import math
from functools import cache
from itertools import permutations

import numpy as np

from composable.core.errors import ConfigError


@cache
def apart(length: int, count: int) -> np.ndarray:
    """Permutations of 0 to `length` - 1, the identity first, each next one as far as can be from the others.

    The distance is Hamming's: in how many positions two differ. Noroozi & Favaro 2016, "Unsupervised Learning
    of Visual Representations by Solving Jigsaw Puzzles", algorithm 1, with the smallest distance as the
    criterion, and the mean distance, which they take, between equals: so no two are nearly the same.

    Args:
        length: At most 9: all permutations are looked at.
        count: How many.

    Returns:
        (count, length), int64; not to be written to.

    Raises:
        ConfigError: If there aren't so many.
    """
    if not 1 <= count <= math.factorial(length):
        raise ConfigError(
            "There are only so many permutations.",
            received=f"{count} of {length} tiles, which have {math.factorial(length)}",
        )
    every = np.array(list(permutations(range(length))), "uint8")
    chosen = [0]
    nearest, total = np.full(len(every), length + 1), np.zeros(len(every), "int64")
    while len(chosen) < count:
        distance = (every != every[chosen[-1]]).sum(axis=1)
        nearest, total = np.minimum(nearest, distance), total + distance
        chosen.append(int(np.argmax(nearest * (length * count + 1) + total)))
    found = every[chosen].astype("int64")
    found.flags.writeable = False
    return found
