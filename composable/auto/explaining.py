"""Why the winner of a search won, written at its end; what only the rows can say is in `explanation.json`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from composable.auto.trials import Search
from composable.core.workspace import write_json
from composable.problem.metrics import better
from composable.report.facts import read_facts
from composable.report.why import EXPLANATION, FORMAT, Why, why
from composable.search.choices import important_choices
from composable.search.comparison import differences, member_shares
from composable.search.trial import Trial

_LEAST_SECONDS = 6.0  # until the deadline


def write_explanation(search: Search) -> None:
    """Compare the deployed trial with the others, and write what comes of it, if there is one.

    Which choices mattered is left to who asks where little time is left: it needs Optuna, whose import takes
    a second.
    """
    deployed = search.deployed
    if deployed is None or not deployed.predictions.out_of_fold:
        return
    book, folder = search.book, search.book.recorder.folder
    others = [one for one in (_runner_up(search, deployed), *_references(search)) if one is not None]
    facts = {
        "format": FORMAT,
        "trial": deployed.number,
        "rows": sum(map(len, book.scorer.scored_parts)),
        "against": [
            asdict(one) for one in differences(book.scorer, deployed, others, seed=search.options.seed)
        ],
        "members": [asdict(one) for one in member_shares(book.scorer, deployed)],
    }
    if search.trainings.deadline.remaining >= _LEAST_SECONDS:
        facts["choices"] = [asdict(one) for one in important_choices(folder)]
    write_json(folder / f"{EXPLANATION}.json", facts)


def _runner_up(search: Search, deployed: Trial) -> Trial | None:
    """The best network besides the deployed one: of an ensemble, its best member or a better one."""
    metric, best = search.book.scorer.problem.metric, None
    for trial in search.book.succeeded:
        if trial is not deployed and (best is None or better(metric, trial.score, best.score)):
            best = trial
    return best


def _references(search: Search) -> list[Trial]:
    """The baseline, then the constant predictor, where they have predictions."""
    done = [one for one in search.book.trials if one.status == "done" and one.predictions.out_of_fold]
    return [one for role in ("baseline", "reference") for one in done if one.role == role]


def explain_run(run: Path) -> Why:
    """Why the winner of a run won, from its folder alone; of an older run, what can be said without its rows.

    Raises:
        ArtifactError: If the file of a trial is damaged.
    """
    facts = read_facts(run)
    if "choices" in facts.file(EXPLANATION):
        return why(facts)
    choices: dict[str, Any] = {"choices": [asdict(one) for one in important_choices(run)]}
    return why(facts, choices)
