"""A training as plain data, and what came of it: the same in this process, in another, on another machine."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from composable.core.errors import ArtifactError
from composable.core.workspace import read_json, write_atomically, write_json
from composable.design.part import Part
from composable.engine.history import Epoch
from composable.engine.settings import Settings
from composable.training.candidate import Baseline, Candidate, Trained, from_plain, to_plain

_FORMAT, _FILE, _BEGIN = "composable.job/1", "job.json", "begin.npz"
_REMEDY = "delete the folder; the same command trains it again"
Notify = Callable[[str, Mapping[str, Any]], None]  # the name of an event, and its facts


@dataclass(frozen=True, eq=False)
class Job:
    """What is trained, and where.

    Attributes:
        candidate: The architecture and how it is trained; or a baseline.
        folds: The numbers of the folds of the data set; each is a network of its own.
        seed: For everything random.
        seconds: After which training stops.
        folder: Of the trial: where the networks are written.
        stages: That come before the fit.
        settings: That the stages chose on earlier folds of the candidate; None where they have not run yet.
        refit: Whether one network is trained on the rows of all these folds, by what theirs have chosen: on
            the "known" ones, that they learned from or stopped by, or on "all", their test rows included; or
            on those of the "file" that the rows are a sample of, but for what is held out in the first fold.
    """

    candidate: Candidate | Baseline
    folds: tuple[int, ...]
    seed: int
    seconds: float
    folder: Path
    stages: tuple[Part, ...] = ()
    settings: Settings | None = None
    refit: Literal["", "known", "all", "file"] = ""

    @property
    def identity(self) -> str:
        """Of the trial: what is tried, by which seed. Equal ones give equal results."""
        return identity_of(self.candidate, self.seed, self.stages)

    @property
    def network(self) -> Candidate:
        """The candidate, where it is a network's.

        Raises:
            TypeError: If it is a baseline.
        """
        if isinstance(self.candidate, Baseline):
            raise TypeError(f"The baseline {self.candidate.name!r} is no network.")
        return self.candidate


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a job came to.

    Attributes:
        job: The job that was done.
        networks: In the order of the folds; their weights lie in the job's folder. A baseline's have none.
        settings: That the stages chose, or that the candidate has; None of a baseline.
        stages: What each stage came to, as plain JSON.
        seconds: That it took.
        skipped: Why it wasn't begun; empty where it was.
        failure: Why it came to nothing; empty where it didn't fail.
    """

    job: Job
    networks: tuple[Trained, ...] = ()
    settings: Settings | None = None
    stages: tuple[Mapping[str, Any], ...] = ()
    seconds: float = 0.0
    skipped: str = ""
    failure: str = ""


def epoch_facts(fold: int, epoch: Epoch) -> dict[str, Any]:
    """What the event `epoch` says."""
    return {"fold": fold, "epoch": epoch.epoch, "loss": epoch.loss, "held_out": epoch.held_out}


def identity_of(candidate: Candidate | Baseline, seed: int, stages: Sequence[Part] = ()) -> str:
    """Twelve hexadecimal digits that identify a trial among all others."""
    network = isinstance(candidate, Candidate)
    tried = replace(candidate, share=1.0) if network else candidate  # however much time it has
    plain = to_plain((tried, seed, tuple(stages)))
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
    for weights in (candidate.begin or ()) if network else ():
        digest.update(np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()[:12]


def save_job(job: Job) -> Path:
    """Write the job into its folder, for another process; gives the file."""
    facts = {
        "format": _FORMAT,
        "candidate": to_plain(job.candidate),
        "folds": list(job.folds),
        "seed": job.seed,
        "seconds": job.seconds,
        "stages": to_plain(job.stages),
        "settings": to_plain(job.settings),
        "refit": job.refit,
    }
    if isinstance(job.candidate, Candidate) and job.candidate.begin is not None:
        buffer = io.BytesIO()
        np.savez(buffer, *job.candidate.begin)
        write_atomically(job.folder / _BEGIN, buffer.getvalue())
    path = job.folder / _FILE
    write_json(path, facts)
    return path


def load_job(path: Path) -> Job:
    """The job that `save_job` wrote.

    Raises:
        ArtifactError: If the file is missing, damaged, or of another version.
    """
    facts = read_json(path, remedy=_REMEDY)
    try:
        if facts["format"] != _FORMAT:
            raise ValueError(facts["format"])
        candidate: Candidate | Baseline = from_plain(facts["candidate"])
        if isinstance(candidate, Candidate) and (begin := path.with_name(_BEGIN)).exists():
            with np.load(begin, allow_pickle=False) as stored:
                candidate = replace(candidate, begin=tuple(stored[name] for name in stored.files))
        seconds = float("inf") if facts["seconds"] is None else float(facts["seconds"])
        return Job(
            candidate,
            tuple(facts["folds"]),
            facts["seed"],
            seconds,
            path.parent,
            from_plain(facts["stages"]),
            from_plain(facts["settings"]),
            facts["refit"],
        )
    except (KeyError, TypeError, ValueError) as odd:
        raise ArtifactError(
            "A job must be as it was written.", received=f"{path}: {odd!r}", remedy=_REMEDY
        ) from odd
