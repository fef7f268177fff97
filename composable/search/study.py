"""The study: every candidate that ended, in Optuna's own storage, for its dashboard and its other tools.

`trials/` is the truth; the study, in `study.db` or in a database, is its copy: what a kill left out is added
when the run goes on, and what was removed is written anew.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from composable.core.errors import SetupError
from composable.design.choice import Open
from composable.search.sampling import quiet
from composable.search.space import OpenCandidate, Values, is_variant
from composable.search.study_file import Entry, check_file, opened, remote_file_system, told, trials_of
from composable.search.study_server import masked, name_on_server, opened_on_server
from composable.training.candidate import Candidate

FILE = "study.db"
_LONGEST_NAME = 200  # letters
_WAITS = (0.5, 1.0, 2.0)  # seconds before what a database didn't take is tried once more, at the end


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

    What couldn't be written is tried again with the next entry, and at the end.

    Attributes:
        place: The file or the address, as it may be shown.
        open: Gives Optuna's storage and study.
        warn: Is told, once, that the study can't be written; the search goes on.
        folder: That the file lies in, whose free bytes are told; None of a database.
    """

    place: str
    open: Callable[[], tuple[Any, Any]]
    warn: Callable[[str], None]
    folder: Path | None = None
    _storage: Any = None
    _study: Any = None
    _entries: list[Entry] = field(default_factory=list)
    _known: set[tuple[str, str]] = field(default_factory=set)
    _pending: list[Future[None]] = field(default_factory=list)
    _warned: bool = False

    def __post_init__(self) -> None:
        self._writer = ThreadPoolExecutor(1, "study")

    def begin(self) -> None:
        """Open the study now, so that one that can't be opened is refused.

        Raises:
            ArtifactError, SetupError: If it can't be opened.
        """
        self._writer.submit(self._write, ()).result()

    def tell(self, entries: Sequence[Entry]) -> None:
        """Write entries that are not there yet; returns at once."""
        self._report()
        if entries:
            self._pending.append(self._writer.submit(self._write, tuple(entries)))

    def close(self) -> None:
        """Wait until everything is written; what can't be now is, when the run goes on."""
        self._pending.append(self._writer.submit(self._end))
        self._writer.shutdown(wait=True)
        self._report()

    def _end(self) -> None:
        missing = (one for one in self._entries if (one.identity, one.status) not in self._known)
        waits = _WAITS if self.folder is None and next(missing, None) else ()
        try:
            for wait in waits:
                time.sleep(wait)
                with suppress(Exception):  # the last attempt says why
                    return self._write(())
            self._write(())
        finally:
            self._release()

    def _release(self) -> None:
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
        self._storage = self._study = None

    def _write(self, entries: Sequence[Entry]) -> None:
        """Write these, and those of before that are missing; after a failure the study is opened anew."""
        self._entries += entries
        try:
            with quiet():
                if self._study is None:
                    self._storage, self._study = self.open()
                    attributes = (trial.user_attrs for trial in trials_of(self._study))
                    self._known = {(one.get("identity", ""), one.get("status", "")) for one in attributes}
                for entry in self._entries:
                    if (entry.identity, entry.status) not in self._known:
                        self._study = told(self._storage, self._study, entry)
                        self._known.add((entry.identity, entry.status))
        except BaseException:
            self._release()
            raise

    def _report(self) -> None:
        """Say that writing failed."""
        ended = [future for future in self._pending if future.done()]
        self._pending = [future for future in self._pending if not future.done()]
        failures = [one for one in (future.exception() for future in ended) if one is not None]
        if failures and not self._warned:
            self._warned = True
            said = [" ".join(str(failures[0]).split())[:300]]
            said += [f"{shutil.disk_usage(self.folder).free:,} bytes are free there"] if self.folder else []
            self.warn(
                f"{self.place} can't be written ({'; '.join(said)}): the search goes on without it; what is "
                "missing there is added as soon as it can be, at the latest when the run goes on."
            )


def study_of(
    folder: Path,
    name: str,
    *,
    higher_is_better: bool,
    warn: Callable[[str], None],
    address: str | None = None,
) -> Study | None:
    """The study of a run; None where no such file may lie, which the user is told.

    Args:
        folder: Of the run.
        name: Of the study, any text.
        higher_is_better: Whether the best score is the highest.
        warn: Is told what a user should know.
        address: Of the database that holds it; None where it is a file in the run folder.

    Raises:
        ArtifactError: If there is a file that is damaged, or no study.
        SetupError: If it can't be written.
    """
    if address is not None:
        name = name_on_server(name, folder)
        opening = partial(opened_on_server, address, name, higher_is_better=higher_is_better)
        study = Study(masked(address), opening, warn)
        study.begin()
        return study
    path = folder / FILE
    if (system := remote_file_system(folder)) is not None:
        warn(
            f"No {FILE} is written, since SQLite can be damaged on {system}; trials/ holds all that it would "
            "(--study writes it into a PostgreSQL database)."
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
    opening = partial(opened, path, name[:_LONGEST_NAME], higher_is_better=higher_is_better)
    return Study(str(path), opening, warn, folder)
