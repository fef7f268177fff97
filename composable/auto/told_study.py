"""What the study of a run is told: the candidates of this session as they end, and those of earlier ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from composable.auto.trainings import Trainings
from composable.search.space import OpenCandidate
from composable.search.study import Study, described, study_of
from composable.search.study_file import Entry
from composable.search.trial import Trial
from composable.training.candidate import Candidate

_STATUS = ("done", "skipped", "failed")


def open_study(trainings: Trainings, families: Sequence[OpenCandidate]) -> Study | None:
    """The study of the run, told what earlier sessions tried; None where there can't be one.

    Args:
        trainings: Of the run.
        families: As a person decided, then as they were before.

    Raises:
        ArtifactError: If there is one that is damaged.
        SetupError: If it can't be written, or its database doesn't answer.
    """
    book = trainings.book
    facts, scorer = book.recorder.facts, book.scorer
    targets = ", ".join(target for head in scorer.problem.heads for target in head.targets)
    study = study_of(
        book.recorder.folder,
        f"{facts.get('data', {}).get('origin', 'data')}: {targets}",
        address=trainings.options.study,
        higher_is_better=scorer.higher_is_better,
        warn=book.warn,
    )
    if study is not None:
        earlier = [
            _entry(one.number, one.candidate, one.outcome, families)
            for one in book.earlier
            if one.outcome.get("status") in _STATUS
        ]
        study.tell(earlier)
    return study


def entry_of(trial: Trial, families: Sequence[OpenCandidate]) -> Entry:
    """What the study is told of a network's trial.

    Args:
        trial: That ended.
        families: As a person decided, then as they were before.
    """
    name, values, openings = described(trial.network, families)
    score = trial.score if trial.status == "done" else math.nan
    return Entry(
        trial.number, trial.identity, trial.name, name, values, openings, trial.status, score, trial.reason
    )


def _entry(
    number: int, candidate: Candidate, facts: Mapping[str, Any], families: Sequence[OpenCandidate]
) -> Entry:
    """The same of an earlier session, by the `trial.json` that it left."""
    name, values, openings = described(candidate, families)
    score = facts.get("validation", {}).get(facts.get("metric"))
    return Entry(
        number,
        str(facts.get("identity", "")),
        candidate.name,
        name,
        values,
        openings,
        facts["status"],
        math.nan if score is None else float(score),
        str(facts.get("reason", "")),
    )
