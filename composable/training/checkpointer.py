"""A training saved on disk in checkpoints, from which it goes on bit by bit as if nothing had happened."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from composable.core.packages import version
from composable.engine.cohort import Cohort
from composable.training.generation import (
    DamagedError,
    Generation,
    read_generation,
    read_manifest,
    verify,
    write_generation,
)
from composable.training.identity import Identity, State, check_identity, model_layers
from composable.training.own_folder import is_ours, remove

_LAST = 2
_NAME = re.compile(r"gen-(0|[1-9][0-9]*)(\.tmp)?")


@dataclass(frozen=True)
class Checkpoints:
    """Where a training saves its state, and finds it again.

    Attributes:
        folder: Made when it is first needed. What else lies in it is left alone.
        identity: Of the training; another one's checkpoints are refused.
        notify: Is called with a sentence that names the file, for everything that is skipped or can't be
            removed.
    """

    folder: Path
    identity: Identity
    notify: Callable[[str], None]
    # Whether best, for each generation whose files this process wrote or verified: none is read twice.
    _sound: dict[int, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def save(self, state: State, *, best: bool = False) -> int:
        """Write a new generation durably, then remove those that are no longer needed.

        Args:
            state: Must not change before this returns.
            best: Whether it is the best so far: it stays until there is a better one.

        Returns:
            The number of the generation.

        Raises:
            ArtifactError: If an array isn't made of numbers.
            DiskFullError: With the earlier generations as they were.
            OSError: As the system raises it; likewise.
        """
        for number in self._numbers(partial=True):
            self._remove(self._path(number, partial=True))
        # A name that somebody else's folder has, finished or not, is never used.
        number = 1 + max([0, *self._numbers(), *self._numbers(partial=True)])
        write_generation(self._path(number), Generation(state, self.identity, best))
        self._sound[number] = best
        self._thin()
        return number

    def latest(self) -> State | None:
        """The newest complete state.

        None without a notice means that there was none yet; with one, that nothing is left of a training,
        which is to start again.

        Raises:
            ArtifactError: If it belongs to another training, naming the first difference.
        """
        numbers = self._numbers()
        unfinished = [number for number in self._numbers(partial=True) if number > max([0, *numbers])]
        lost = [path for path in (self._path(one, partial=True) for one in unfinished) if is_ours(path)]
        for path in lost:
            self.notify(f"{path} was never finished.")
        for number in numbers:
            if generation := self._read(number):
                if lost or number != numbers[0]:
                    self.notify(f"Training goes on from {self._path(number)}; what came after it is lost.")
                return generation.state
        if lost or numbers:
            self.notify(f"No checkpoint in {self.folder} is usable: training starts again.")
        return None

    def best(self) -> State | None:
        """The newest complete state that was saved as the best one; None if there is none.

        Raises:
            ArtifactError: If it belongs to another training, naming the first difference.
        """
        for number in self._numbers():
            if self._is_best(number) and (generation := self._read(number)):
                return generation.state
        return None

    def clear(self) -> None:
        """Remove every generation, once the result of the training is safe elsewhere."""
        for partial in (True, False):
            for number in self._numbers(partial=partial):
                self._remove(self._path(number, partial=partial))

    def _thin(self) -> None:
        """Remove what is neither the best nor among the last two complete ones."""
        numbers = self._numbers()
        sound = [number for number in numbers if self._is_sound(number)]
        best = [number for number in sound if self._sound[number]]
        for number in set(numbers) - {*sound[:_LAST], *best[:1]}:
            self._remove(self._path(number))

    def _remove(self, path: Path) -> None:
        try:
            remove(path)
        except OSError as failed:  # the new generation is safe, which is what the caller wants
            self.notify(f"{path} could not be removed: {failed}.")

    def _read(self, number: int) -> Generation | None:
        try:
            generation = read_generation(self._path(number))
        except DamagedError as broken:
            self.notify(f"A damaged checkpoint is skipped: {broken.received}.")
            return None
        check_identity(generation.identity, self.identity, origin=str(self._path(number)))
        self._sound[number] = generation.best
        return generation

    def _is_best(self, number: int) -> bool:
        try:
            return read_manifest(self._path(number)).best
        except DamagedError:
            return False

    def _is_sound(self, number: int) -> bool:
        if number not in self._sound:
            try:
                self._sound[number] = verify(self._path(number)).best
            except DamagedError:
                return False
        return True

    def _path(self, number: int, *, partial: bool = False) -> Path:
        return self.folder / f"gen-{number}{'.tmp' if partial else ''}"

    def _numbers(self, *, partial: bool = False) -> list[int]:
        """Of the generations that have their name, or of those that are half there; the newest first."""
        return sorted((number for number, unfinished in self._names() if unfinished == partial), reverse=True)

    def _names(self) -> Iterator[tuple[int, bool]]:
        names = (path.name for path in self.folder.iterdir()) if self.folder.is_dir() else ()
        for match in filter(None, map(_NAME.fullmatch, names)):
            yield int(match[1]), match[2] is not None


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
    folder: Path, cohort: Cohort, *, every: float = 30.0, notify: Callable[[str], None]
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
    return FolderCheckpointer(Checkpoints(folder, identity, notify), every)


def forget(folder: Path) -> None:
    """Remove the checkpoints in the folders `checkpoints-*`, once what they led to is safe."""
    for generation in folder.glob("checkpoints-*/gen-*"):
        if is_ours(generation):
            remove(generation)
    for emptied in folder.glob("checkpoints-*"):
        if not any(emptied.iterdir()):
            emptied.rmdir()
