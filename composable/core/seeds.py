"""One seed for every generator: each use derives its own from the user's seed and its name."""

from __future__ import annotations

import hashlib
import threading

GLOBAL_GENERATORS = threading.RLock()
"""Held while a model is built: Keras draws from global generators then, and two threads would share them."""


def derive(seed: int, *names: object) -> int:
    """A seed in [0, 2**31) that depends on `seed` and every name, and on nothing else."""
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 2**31
