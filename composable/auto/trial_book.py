"""The trials of a run: numbered, written into its folder, announced by events."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property

from composable.auto.record import Recorder
from composable.core.errors import ArtifactError
from composable.core.workspace import read_json, write_json
from composable.data.schema import Notice
from composable.search.leaderboard import TRIAL_FILE, read_trial
from composable.search.scorer import Scorer
from composable.search.trial import Role, Trial, record
from composable.training.candidate import Candidate, from_plain, to_plain

_CANDIDATE, _CANDIDATE_FILE = "composable.candidate/1", "candidate.json"


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
        found = {}
        for path in (self.recorder.folder / "trials").glob(f"*/{TRIAL_FILE}"):
            facts = read_trial(path, remedy="remove its folder to train it again")
            found[str(facts.get("identity", path.parent.name))] = int(path.parent.name)
        return found

    def write(self, trial: Trial, *, tested: bool = False) -> None:
        """Write what became of a trial; with its test scores if nothing more is chosen: `tested`."""
        write_json(trial.folder / TRIAL_FILE, record(trial, self.scorer, tested=tested))

    @cached_property
    def earlier_candidates(self) -> list[tuple[Candidate, bool]]:
        """The candidates that earlier sessions began, by their numbers, and whether each came to its end."""
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
            is_done = ended.exists() and json.loads(ended.read_text(encoding="utf-8")).get("status") == "done"
            found[int(path.parent.name)] = (from_plain(facts.get("candidate")), is_done)
        return [found[number] for number in sorted(found)]

    def begun(self, trial: Trial, folds: tuple[int, ...]) -> None:
        """Say that the training of a trial on some folds begins; a later session knows what was begun."""
        if trial.candidate is not None and trial.candidate.begin is None:
            plain = {"format": _CANDIDATE, "candidate": to_plain(trial.candidate)}
            write_json(trial.folder / _CANDIDATE_FILE, plain)
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
