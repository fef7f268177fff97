"""The file of a study: Optuna's storage on SQLite, and what one trial is in it.

SQLite before 3.51.3 can damage a database in its write-ahead log, so it keeps a rollback journal there; one
connection writes, of one thread.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from composable.core.errors import ArtifactError
from composable.core.workspace import journal_mode
from composable.design.choice import Between, Choice, Open
from composable.search.sampling import distribution, label

_HEADER = b"SQLite format 3\x00"
_WAIT = 60.0  # seconds, for a reader such as the dashboard
_MOUNTS = Path("/proc/mounts")
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.s3fs", "glusterfs", "ceph")
_REMEDY = "remove the file: the same command writes it anew from trials/"


@dataclass(frozen=True)
class Entry:
    """One candidate that ended.

    Attributes:
        trial: Its number in the run.
        identity: Of the trial: an entry is told once.
        name: Of the candidate.
        family: Of the candidate.
        values: By path.
        openings: What was open there.
        status: What became of it.
        score: The selection score; NaN where there is none.
        reason: Why it failed or was skipped.
    """

    trial: int
    identity: str
    name: str
    family: str
    values: Mapping[str, Any]
    openings: Mapping[str, Open]
    status: Literal["done", "skipped", "failed"]
    score: float = math.nan
    reason: str = ""


def check_file(path: Path) -> None:
    """Refuse a study that is damaged.

    Raises:
        ArtifactError: Naming the file and what is wrong with it.
    """
    try:
        with path.open("rb") as stream:
            begins = stream.read(len(_HEADER))
        if begins != _HEADER:
            raise sqlite3.DatabaseError("it is empty" if not begins else "it is no SQLite database")
        connection = sqlite3.connect(path, timeout=_WAIT)
        try:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)
    except (sqlite3.Error, OSError) as damaged:
        raise ArtifactError(
            "The study of a run must be whole.", received=f"{path}: {damaged}"[:300], remedy=_REMEDY
        ) from damaged


def remote_file_system(folder: Path) -> str | None:
    """The kind of the file system of a folder, if it is one of another machine; None on this one's."""
    try:
        mounts = [line.split()[1:3] for line in _MOUNTS.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        return None  # a system without such a list
    at = folder.resolve()
    above = [(Path(point), kind) for point, kind in mounts if at.is_relative_to(point)]
    kind = max(above, key=lambda one: len(one[0].parts), default=(at, ""))[1]
    return kind if kind in _REMOTE else None


def opened(path: Path, name: str, *, higher_is_better: bool) -> tuple[Any, Any]:
    """Optuna's storage in a file and the study in it, created where there is none.

    Raises:
        ArtifactError: If another version of Optuna wrote it.
    """
    import optuna
    from sqlalchemy.pool import StaticPool

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=_WAIT)
        connection.execute(f"PRAGMA journal_mode={journal_mode()}")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    try:
        storage = optuna.storages.RDBStorage(
            "sqlite://", engine_kwargs={"creator": connect, "poolclass": StaticPool}
        )
    except RuntimeError as foreign:
        raise ArtifactError(
            "A study is of the schema of this version of Optuna.",
            received=f"{path}: {' '.join(str(foreign).split())}"[:300],
            remedy=_REMEDY,
        ) from foreign
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        direction="maximize" if higher_is_better else "minimize",
        sampler=optuna.samplers.RandomSampler(),
        load_if_exists=True,
    )
    return storage, study


def told(storage: Any, study: Any, entry: Entry) -> Any:
    """The study with one more trial, whose parameters are named `mlp.units`; perhaps written anew for it.

    Optuna wants the choices of a parameter to be the same in all trials of a study: where a person's
    decisions bring a new one, the trials are written anew with it.

    Args:
        storage: Of the study.
        study: Optuna's.
        entry: To be told.
    """
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import TrialState, create_trial

    known = {name: one for trial in trials_of(study) for name, one in trial.distributions.items()}
    params, wanted, widened = {}, {}, {}
    attributes = {
        "trial": entry.trial,
        "identity": entry.identity,
        "status": entry.status,
        "name": entry.name,
        "reason": entry.reason,
    }
    for path, value in entry.values.items():
        name = f"{entry.family}.{path}"
        before, now = known.get(name), wide(entry.openings[path], value)
        if isinstance(before, CategoricalDistribution) and isinstance(now, CategoricalDistribution):
            now = CategoricalDistribution(_union(before.choices, now.choices))
            widened |= {} if len(now.choices) == len(before.choices) else {name: now}
        if now is None or not _agree(before, now):
            attributes[name] = label(value)
        else:
            params[name], wanted[name] = label(value), now
    if widened:
        study = _widened(storage, study, widened)
    states = {"done": TrialState.COMPLETE, "failed": TrialState.FAIL, "skipped": TrialState.PRUNED}
    state = TrialState.FAIL if math.isnan(entry.score) and entry.status == "done" else states[entry.status]
    study.add_trial(
        create_trial(
            state=state,
            params=params,
            distributions=wanted,
            user_attrs=attributes,
            value=entry.score if state == TrialState.COMPLETE else None,
        )
    )
    return study


def wide(opening: Open, value: Any) -> Any:
    """The distribution of what is open, wide enough for a value that a person or the portfolio chose.

    None where there is no such distribution: a text within a range, zero on a scale of logarithms.
    """
    if opening.admits(value):
        return distribution(opening)
    if isinstance(opening, Choice):
        return distribution(Choice((*opening.options, value)))
    if type(value) not in (int, float) or (opening.log and value <= 0):
        return None
    return distribution(Between(min(opening.low, value), max(opening.high, value), log=opening.log))


def _agree(before: Any, now: Any) -> bool:
    """Whether one parameter may have had the one distribution before and have the other now."""
    from optuna.distributions import CategoricalDistribution

    if before is None or isinstance(before, CategoricalDistribution):
        return before is None or isinstance(now, CategoricalDistribution)
    return type(before) is type(now) and before.log == now.log


def trials_of(study: Any) -> list[Any]:
    """The trials of a study, which stay as they are."""
    return study.get_trials(deepcopy=False)


def _union(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    found = list(first)
    for one in second:
        if not any(type(one) is type(other) and one == other for other in found):
            found.append(one)
    return found


def _widened(storage: Any, study: Any, distributions: Mapping[str, Any]) -> Any:
    """The same study, its trials written anew with other distributions.

    A kill in between loses nothing: what is not there is told again when the run goes on.
    """
    import optuna

    trials, name, directions = study.get_trials(), study.study_name, study.directions
    for trial in trials:
        trial.distributions = {
            each: distributions.get(each, one) for each, one in trial.distributions.items()
        }
    optuna.delete_study(study_name=name, storage=storage)
    again = optuna.create_study(
        storage=storage, study_name=name, directions=directions, sampler=optuna.samplers.RandomSampler()
    )
    again.add_trials(trials)
    return again
