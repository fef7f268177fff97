"""A training saved on disk in checkpoints, from which it goes on bit by bit as if nothing had happened."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from composable.core.versions import version
from composable.engine.cohort import Cohort
from composable.training.checkpoints import Checkpoints
from composable.training.identity import Identity, model_layers
from composable.training.own_folder import is_ours, remove
from composable.training.state import State


@dataclass(eq=False)
class FolderCheckpointer:
    """A `composable.engine.train.Checkpointer` that writes generations.

    Attributes:
        checkpoints: Where.
        every: Seconds between two of them.
    """

    checkpoints: Checkpoints
    every: float = 30.0
    _last: float = field(init=False, default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._last >= self.every

    def load(self) -> tuple[Mapping[str, np.ndarray], Mapping[str, Any]] | None:
        """What was saved last."""
        found = self.checkpoints.latest()
        return None if found is None else (found.arrays, found.facts)

    def save(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any], *, improved: bool) -> None:
        """Write a generation."""
        self.checkpoints.save(State(arrays, facts), best=improved)
        self._last = time.monotonic()


def checkpointer(
    folder: Path, cohort: Cohort, *, every: float = 30.0, notice: Callable[[str], None]
) -> FolderCheckpointer:
    """A checkpointer of this cohort in `folder`; checkpoints of another training there are refused.

    A training is the same if its layers, versions and settings are, and the rows of each instance.
    """
    digest = hashlib.sha256()
    for one in cohort.instances:
        digest.update(f"{one.seed} {one.settings!r}".encode())
        digest.update(np.ascontiguousarray(one.rows).tobytes() + np.ascontiguousarray(one.held_out).tobytes())
    backend = keras.backend.backend()
    versions = {name: version(name) for name in ("composable", "keras", backend)}
    identity = Identity(model_layers(cohort.model), versions, digest.hexdigest())
    return FolderCheckpointer(Checkpoints(folder, identity, notice), every)


def forget(folder: Path) -> None:
    """Remove the checkpoints in the folders `checkpoints-*`, once what they led to is safe."""
    for generation in folder.glob("checkpoints-*/gen-*"):
        if is_ours(generation):
            remove(generation)
    for emptied in folder.glob("checkpoints-*"):
        if not any(emptied.iterdir()):
            emptied.rmdir()
