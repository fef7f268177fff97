"""The trials of a run: numbered, written into its folder, announced by events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from composable.auto.record import Recorder
from composable.core.errors import ArtifactError
from composable.core.workspace import read_json, write_json
from composable.data.schema import Notice
from composable.search.leaderboard import TRIAL_FILE, read_trial
from composable.search.scorer import Scorer
from composable.search.trial import Role, Trial, record
from composable.training.candidate import Candidate, from_plain, to_plain

MOST_DEATHS = 3  # of the process while it trains a candidate: then it is the candidate's fault
_PROGRESS = ("fold-*.npz", "checkpoints-*/*", "stages-*/*")
_CANDIDATE, _CANDIDATE_FILE = "composable.candidate/1", "candidate.json"


@dataclass(frozen=True)
class Earlier:
    """A candidate that an earlier session of the run began.

    Attributes:
        number: Of its trial.
        identity: Of its trial.
        candidate: As it was begun.
        outcome: Its `trial.json`; empty where it didn't end.
        deaths: How often the process of the run died while it was trained, without getting any further.
    """

    number: int
    identity: str
    candidate: Candidate
    outcome: Mapping[str, Any]
    deaths: int = 0

    @property
    def is_done(self) -> bool:
        """Whether it came to its end."""
        return self.outcome.get("status") == "done"


@dataclass(eq=False)
class TrialBook:
    """All that a search has tried.

    Attributes:
        recorder: Of the run.
        scorer: Scores what is written; another one once the constant predictor is known.
        trials: Those that ended, in this order.
    """

    recorder: Recorder
    scorer: Scorer
    trials: list[Trial] = field(default_factory=list)

    @property
    def succeeded(self) -> list[Trial]:
        """The networks' trials that came to their end."""
        return [t for t in self.trials if t.role == "network" and t.status == "done"]

    @property
    def deployable(self) -> list[Trial]:
        """Those of them whose weights are still there."""
        return [t for t in self.succeeded if t.has_weights]

    def new(self, name: str, role: Role, identity: str) -> Trial:
        """A trial of something, numbered as in earlier sessions of the run; else by the next free number."""
        known = self._known
        number = known.setdefault(identity, max(known.values(), default=-1) + 1)
        return Trial(number, self.recorder.folder / "trials" / str(number), name, role, identity)

    @cached_property
    def _known(self) -> dict[str, int]:
        """The numbers of the trials of earlier sessions, by identity."""
        found = {one.identity: one.number for one in self.earlier}
        for path in (self.recorder.folder / "trials").glob(f"*/{TRIAL_FILE}"):
            facts = read_trial(path, remedy="remove its folder to train it again")
            found[str(facts.get("identity", path.parent.name))] = int(path.parent.name)
        return found

    def write(self, trial: Trial, *, tested: bool = False) -> None:
        """Write what became of a trial; with its test scores if nothing more is chosen: `tested`."""
        write_json(trial.folder / TRIAL_FILE, record(trial, self.scorer, tested=tested))

    @cached_property
    def earlier(self) -> list[Earlier]:
        """The candidates that earlier sessions began, by their numbers."""
        found = {}
        for path in (self.recorder.folder / "trials").glob(f"*/{_CANDIDATE_FILE}"):
            facts = read_json(path, remedy="remove its folder to train it again")
            if facts.get("format") != _CANDIDATE:
                raise ArtifactError(
                    f"{path.name} must have the format {_CANDIDATE!r}.",
                    received=f"{path}: {facts.get('format')!r}"[:300],
                    remedy="remove its folder to train it again",
                )
            ended = path.with_name(TRIAL_FILE)
            outcome = (
                read_trial(ended, remedy="remove its folder to train it again") if ended.exists() else {}
            )
            number = int(path.parent.name)
            candidate, deaths = from_plain(facts.get("candidate")), int(facts.get("deaths") or 0)
            found[number] = Earlier(number, str(facts.get("identity", "")), candidate, outcome, deaths)
        return [found[number] for number in sorted(found)]

    def deaths(self, trial: Trial) -> int:
        """How often the process of the run died while a trial was trained, without getting any further."""
        return next((one.deaths for one in self.earlier if one.identity == trial.identity), 0)

    def begun(self, trial: Trial, folds: tuple[int, ...]) -> None:
        """Say that the training of a trial on some folds begins; a later session knows what was begun."""
        if trial.candidate is not None and trial.candidate.begin is None:
            identity, candidate = trial.identity, to_plain(trial.candidate)
            plain = {"format": _CANDIDATE, "identity": identity, "candidate": candidate}
            now = {"training": True, "files": _files(trial.folder), "deaths": self.deaths(trial)}
            write_json(trial.folder / _CANDIDATE_FILE, plain | now)
        self.recorder.happened(
            "trial_start", trial=trial.number, name=trial.name, fold=folds[0], folds=len(folds)
        )

    def ended(self, trial: Trial) -> None:
        """Say what became of a trial."""
        self.recorder.happened(
            "trial_end",
            trial=trial.number,
            name=trial.name,
            role=trial.role,
            status=trial.status,
            score=trial.score,
            seconds=round(trial.seconds, 2),
            reason=trial.reason,
        )

    def note(self, text: str) -> None:
        """Notify the user."""
        self.recorder.notice(Notice(text))

    def warn(self, text: str) -> None:
        """Warn the user of something."""
        self.recorder.notice(Notice(text, "warning"))


def count_deaths(run: Path) -> None:
    """Note of each candidate that was trained when the process of its run died how often that was.

    What got any further since it was begun, as its files say, counts anew: it will come to its end.

    Args:
        run: The folder of a run whose last session didn't say how it ended.

    Raises:
        ArtifactError: If the file of a candidate is damaged.
    """
    for path in (run / "trials").glob(f"*/{_CANDIDATE_FILE}"):
        facts = read_json(path, remedy="remove its folder to train it again")
        if facts.get("training") and not path.with_name(TRIAL_FILE).exists():
            deaths = facts.get("deaths", 0) if facts.get("files") == _files(path.parent) else 0
            write_json(path, {**facts, "training": False, "deaths": deaths + 1})


def _files(folder: Path) -> list[str]:
    """What a training has come to so far."""
    return sorted(str(one.relative_to(folder)) for name in _PROGRESS for one in folder.glob(name))
