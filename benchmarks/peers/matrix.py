"""The matrix-multiply peak of the machine: float32, 2048 x 2048, the fastest library. See `rounds`."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable

import numpy as np
from rounds import Job, Prepared, seconds, take_part

SIZE, TIMES = 2048, 8


def product(_: Job) -> Prepared:
    """Eight products per round; its amount is in floating-point operations."""
    operation = 2.0 * SIZE**3 * TIMES
    measured = {name: min(seconds(go) for _ in range(3)) for name, go in _products().items()}
    fastest = min(measured, key=lambda name: measured[name])
    facts = {name: f"{operation / took / 1e9:.0f} GFLOP/s" for name, took in measured.items()}
    return Prepared(_products()[fastest], amount=operation, facts={"library": fastest, "measured": facts})


def _products() -> dict[str, Callable[[], object]]:
    a = np.random.default_rng(0).normal(size=(SIZE, SIZE)).astype("float32")
    found: dict[str, Callable[[], object]] = {"numpy": lambda: [a @ a for _ in range(TIMES)]}
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(len(os.sched_getaffinity(0)))
        b = torch.from_numpy(a)
        found["torch"] = lambda: [b @ b for _ in range(TIMES)]
    if importlib.util.find_spec("jax"):
        import jax

        c = jax.device_put(a)
        found["jax"] = lambda: [(c @ c).block_until_ready() for _ in range(TIMES)]
    return found


if __name__ == "__main__":
    take_part({"product": product}, ("numpy",))
