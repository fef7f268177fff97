"""The study: every candidate that ended, in Optuna's own storage, for its dashboard and its other tools.

`trials/` is the truth and `study.db` its copy: what a kill left out is added when the run goes on, and a file
that was removed is written anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composable.core.errors import SetupError
from composable.design.choice import Open
from composable.search.sampling import quiet
from composable.search.space import OpenCandidate, Values, is_variant
from composable.search.study_file import Entry, check_file, opened, remote_file_system, told, trials_of
from composable.training.candidate import Candidate

FILE = "study.db"
_LONGEST_NAME = 200  # letters


def described(
    candidate: Candidate, families: Sequence[OpenCandidate]
) -> tuple[str, Values, Mapping[str, Open]]:
    """The family of a candidate, its values by path, and what is open there.

    Args:
        candidate: That was tried.
        families: As a person decided, then as they were before: what is closed now was open there.
    """
    found = [one for one in families if is_variant(candidate.name, one.name)]
    name = max((one.name for one in found), key=len, default=candidate.name)
    values: dict[str, Any] = {}
    openings: dict[str, Open] = {}
    for family in (one for one in found if one.name == name):
        values |= family.values_of(candidate)
        openings |= family.openings
    return name, values, openings


@dataclass(eq=False)
class Study:
    """The study of one run, written in a thread of its own, since it is never waited for.

    Attributes:
        path: Of the file.
        name: Of the study.
        higher_is_better: Whether the best score is the highest.
        warn: Is told, once, that the file can't be written any more; the search goes on.
    """

    path: Path
    name: str
    higher_is_better: bool
    warn: Callable[[str], None]
    _storage: Any = None
    _study: Any = None
    _known: set[tuple[str, str]] = field(default_factory=set)
    _pending: list[Future[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._writer = ThreadPoolExecutor(1, "study")

    def tell(self, entries: Sequence[Entry]) -> None:
        """Write entries that are not there yet; returns at once."""
        self._report()
        if entries:
            self._pending.append(self._writer.submit(self._write, tuple(entries)))

    def close(self) -> None:
        """Wait until everything is written."""
        self._pending.append(self._writer.submit(self._end))
        self._writer.shutdown(wait=True)
        self._report()

    def _end(self) -> None:
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
            self._storage = self._study = None

    def _write(self, entries: Sequence[Entry]) -> None:
        with quiet():
            if self._study is None:
                self._storage, self._study = opened(
                    self.path, self.name, higher_is_better=self.higher_is_better
                )
                attributes = (trial.user_attrs for trial in trials_of(self._study))
                self._known = {(one.get("identity", ""), one.get("status", "")) for one in attributes}
            for entry in entries:
                if (entry.identity, entry.status) not in self._known:
                    self._study = told(self._storage, self._study, entry)
                    self._known.add((entry.identity, entry.status))

    def _report(self) -> None:
        """Say that writing failed; what is lost is written when the run goes on."""
        ended = [future for future in self._pending if future.done()]
        self._pending = [future for future in self._pending if not future.done()]
        for failure in filter(None, (future.exception() for future in ended)):
            free = shutil.disk_usage(self.path.parent).free
            self.warn(
                f"{self.path} can't be written ({' '.join(str(failure).split())[:200]}; {free:,} bytes are "
                "free there): the search goes on without it, and the next session of the run completes it."
            )


def study_of(folder: Path, name: str, *, higher_is_better: bool, warn: Callable[[str], None]) -> Study | None:
    """The study of a run folder; None where no such file may lie, which the user is told.

    Args:
        folder: Of the run.
        name: Of the study, any text.
        higher_is_better: Whether the best score is the highest.
        warn: Is told what a user should know.

    Raises:
        ArtifactError: If there is a file that is damaged, or no study.
        SetupError: If it can't be written.
    """
    path = folder / FILE
    if (system := remote_file_system(folder)) is not None:
        warn(
            f"No {FILE} is written, since SQLite can be damaged on {system}; trials/ holds all that it would."
        )
        return None
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise SetupError(
            "The study of a run must be writable.",
            received=str(path),
            remedy="allow it, or choose another --out",
        )
    if path.exists():
        check_file(path)
    return Study(path, name[:_LONGEST_NAME], higher_is_better, warn)
