"""One row of the leaderboard: a candidate, its predictions, its score, its cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from composable.engine.settings import Settings, described
from composable.problem.calibrate import Calibration, calibrate
from composable.problem.metrics import TIE_BREAK, better, higher_is_better
from composable.problem.postprocessing import PostProcessing, postprocess, with_temperature
from composable.problem.problem import Problem
from composable.search.final_temperature import at_final_temperature, final_calibrations, final_steps
from composable.search.leaderboard import FORMAT
from composable.search.predictions import Arrays, Predictions, pool
from composable.search.scorer import Scorer
from composable.training.candidate import Candidate, Trained

Role = Literal["network", "ensemble", "baseline", "reference"]


@dataclass(eq=False)
class Trial:
    """A candidate and what became of it.

    Attributes:
        number: In the order in which the trials of a run were begun.
        folder: Where it is written.
        name: Of the candidate, of the baseline or of the reference.
        role: Whether it may be deployed: networks and ensembles only.
        identity: Of what is tried, the same in every session of a run; see `composable.training.job`.
        candidate: Architecture and settings of a network, None for the other roles; see `network`.
        settings: That its stages chose for the fit; None where they have not run.
        trained: Its networks, one per fold.
        refit: One that learned from the rows of all folds, and predicts instead of theirs; None where
            that isn't wanted, or not yet done.
        calibrations: One per head.
        final_calibrations: One per head, of the average of its networks; empty where one network answers, or
            where there are no rows to find them on.
        refit_calibrations: Those of `refit`, where it has held-out rows of its own; else empty.
        predictions: For rows it didn't learn from; empty until it has predicted something. Averages are at
            no final temperature, see `final_predictions`.
        score: The selection score on the held-out rows of the folds that every candidate trains.
        seconds: Spent on it; of an ensemble, on its members.
        status: Whether it came to its end.
        reason: Why it failed or was skipped.
        members: Of an ensemble: the networks' trials and their weights.
        stages: What the stages before the fit came to, as plain JSON.
        cost: `parameters`, `bytes` and `latency_ms`, where they are known.
    """

    number: int
    folder: Path
    name: str
    role: Role
    identity: str = ""
    candidate: Candidate | None = None
    settings: Settings | None = None
    trained: list[Trained] = field(default_factory=list)
    refit: Trained | None = None
    calibrations: tuple[Calibration, ...] = ()
    final_calibrations: tuple[Calibration, ...] = ()
    refit_calibrations: tuple[Calibration, ...] = ()
    predictions: Predictions = field(default_factory=Predictions)
    score: float = float("nan")
    seconds: float = 0.0
    status: Literal["done", "skipped", "failed"] = "done"
    reason: str = ""
    members: tuple[tuple[Trial, float], ...] = ()
    stages: tuple[dict[str, Any], ...] = ()
    cost: dict[str, Any] = field(default_factory=dict)

    @property
    def cut_short(self) -> bool:
        """Whether the clock ended its training."""
        return any(t.history.stopped == "deadline" for t in self.trained)

    @property
    def network(self) -> Candidate:
        """The candidate of a network's trial.

        Raises:
            ValueError: For the other roles, which have none.
        """
        if self.candidate is None:
            raise ValueError(f"The {self.role} {self.name!r} is no network.")
        return self.candidate

    @property
    def shares(self) -> tuple[tuple[Trial, float], ...]:
        """The networks' trials that answer and their weights: an ensemble's members, or the trial alone."""
        return self.members or ((self, 1.0),)

    @property
    def deployed_networks(self) -> list[Trained]:
        """The networks that are deployed."""
        return self.trained if self.refit is None else [self.refit]

    @property
    def has_weights(self) -> bool:
        """Whether the weights of all networks that would be deployed are still there."""
        return not any(one.dropped for member, _ in self.shares for one in member.deployed_networks)

    @property
    def networks(self) -> int:
        """How many networks are deployed, or will be: one where weights have a closed form, see `refit`."""
        solved = self.candidate is not None and self.candidate.solver is not None
        return 1 if solved and self.trained else len(self.trained)

    @property
    def deployed_weights(self) -> float:
        """How many weights the deployed model has, or would have; see `networks`."""
        return self.cost["parameters"] / len(self.deployed_networks) * (1 if self.refit else self.networks)

    @property
    def final_predictions(self) -> Predictions:
        """Its predictions, the averages of networks at their final temperatures: as the model's."""
        steps, found = self.final_steps, self.predictions
        return replace(
            found,
            test=at_final_temperature(steps, found.test),
            own_test=at_final_temperature(steps, found.own_test),
        )

    @property
    def final_steps(self) -> tuple[PostProcessing, ...]:
        """What is done after averaging, per head; empty where nothing is."""
        first = self.shares[0][0].trained[0].postprocessing if self.final_calibrations else ()
        return final_steps([step.activation for step in first], self.final_calibrations)

    def postprocessing(self, network: Trained) -> tuple[PostProcessing, ...]:
        """What turns this trial's logits into answers: the network's own scaling, the trial's temperature."""
        return tuple(
            with_temperature(step, calibration.temperature)
            for step, calibration in zip(network.postprocessing, self._calibrations_of(network), strict=True)
        )

    def answers(self, network: Trained, logits: Arrays) -> Arrays:
        """The post-processed outputs of one of its networks; empty where `logits` are."""
        return self.answers_at(network, logits, [one.temperature for one in self._calibrations_of(network)])

    def _calibrations_of(self, network: Trained) -> tuple[Calibration, ...]:
        return (self.refit_calibrations if network is self.refit else ()) or self.calibrations

    @staticmethod
    def answers_at(network: Trained, logits: Arrays, temperatures: Sequence[float]) -> Arrays:
        """The post-processed outputs of a network at one temperature per head."""
        if not logits:
            return []
        return [
            postprocess(np, with_temperature(step, temperature), values)
            for step, temperature, values in zip(network.postprocessing, temperatures, logits, strict=True)
        ]


def conclude(trial: Trial, scorer: Scorer, seed: int) -> None:
    """Calibrate a network's trial on its pooled held-out rows, gather its predictions and score it."""
    split, targets = scorer.split, scorer.targets
    scored = [t for t in trial.trained if t.fold < split.scored_folds]

    def calibrated(networks: Sequence[Trained], folds: Sequence[int]) -> tuple[Calibration, ...]:
        rows = np.concatenate([split.folds[number].held_out for number in folds])
        return tuple(
            calibrate(
                head,
                np.concatenate([t.held_out[i] for t in networks]),
                targets[i][rows],
                seed=seed,
                weights=None if scorer.weights is None else scorer.weights[rows],
            )
            for i, head in enumerate(scorer.problem.heads)
        )

    trial.calibrations = calibrated(scored, [t.fold for t in scored])
    from_file = trial.refit is not None and trial.refit.whole_file
    trial.refit_calibrations = calibrated([trial.refit], [0]) if trial.refit and from_file else ()
    trial.predictions = _pooled(trial.trained, scorer, trial.answers)
    if trial.refit is not None:
        test, own_test = (
            trial.answers(trial.refit, logits) for logits in (trial.refit.test, trial.refit.own_test)
        )
        for pooled, values in zip(trial.predictions.test, test, strict=False):
            pooled[split.folds[0].test] = values
        trial.predictions = replace(trial.predictions, own_test=own_test)
    calibrate_average(trial, scorer)
    trial.seconds = sum(t.seconds for t in (*trial.trained, trial.refit) if t is not None)
    trial.score = scorer.selection(trial.predictions)


def take_answers(trial: Trial, answers: Sequence[Trained], scorer: Scorer) -> None:
    """Gather what a baseline has answered on each fold, and score it."""
    trial.predictions = _pooled(answers, scorer, lambda _, outputs: outputs)
    trial.score = scorer.selection(trial.predictions)


def _pooled(
    networks: Sequence[Trained], scorer: Scorer, answers: Callable[[Trained, Arrays], Arrays]
) -> Predictions:
    """What the networks of several folds answer to rows they didn't learn from."""
    by_fold = {one.fold: one for one in networks}

    def of_fold(number: int) -> tuple[Arrays, Arrays, Arrays]:
        one = by_fold[number]
        held_out, test, own_test = (answers(one, part) for part in (one.held_out, one.test, one.own_test))
        return held_out, test, own_test

    return pool(scorer.problem, scorer.split, sorted(by_fold), len(scorer.targets[0]), of_fold)


def is_better(trial: Trial, other: Trial, scorer: Scorer) -> bool:
    """Whether a trial's score beats that of another; where they are the same, its log loss, if there is one.

    Few rows give few different accuracies; the log loss also sees how sure the answers are. An ensemble is
    better than its members: by the scores on many samples of the rows it was chosen, where each of them could
    have been chosen alone.
    """
    if trial.members:
        return True
    if trial.score != other.score:
        return better(scorer.problem.metric, trial.score, other.score)
    losses = [scorer.validation(one.predictions).get(TIE_BREAK, math.nan) for one in (trial, other)]
    return better(TIE_BREAK, *losses)


def calibrate_average(trial: Trial, scorer: Scorer) -> None:
    """Find the final temperatures of a trial that averages networks, on the rows that none learned from.

    Test rows that the user named are a result, and nothing is found on them.
    """
    rows, averages = scorer.split.folds[0].test, trial.predictions.test
    networks = sum(len(member.deployed_networks) for member, _ in trial.shares)
    trial.final_calibrations = ()
    if networks > 1 and len(rows) and averages and not scorer.split.named_test:
        trial.final_calibrations = final_calibrations(scorer, rows, [head[rows] for head in averages])


def record(trial: Trial, scorer: Scorer, *, tested: bool = False) -> dict[str, Any]:
    """`trial.json`, see docs/run-folder.md; with the test scores if the run is over: `tested`."""
    metric = scorer.problem.metric
    facts: dict[str, Any] = {
        "format": FORMAT,
        "number": trial.number,
        "identity": trial.identity,
        "name": trial.name,
        "role": trial.role,
        "status": trial.status,
        "reason": trial.reason,
        "metric": metric,
        "higher_is_better": higher_is_better(metric),
        "seconds": round(trial.seconds, 2),
        "parameters": None,
        "bytes": None,
        "latency_ms": None,
        **trial.cost,
    }
    if trial.predictions.out_of_fold:
        facts |= {
            "validation": scorer.validation(trial.predictions),
            "test": scorer.test(trial.final_predictions) if tested else {},
            "validation_spread": scorer.spread(trial.predictions),
        }
    if trial.candidate is not None:
        facts |= {
            "architecture": trial.candidate.architecture.to_config(),
            "settings": _settings(trial.candidate, trial.settings or trial.candidate.settings),
            "stages": list(trial.stages),
            "histories": [_history(t) for t in trial.trained],
            "calibration": _by_head(trial.refit_calibrations or trial.calibrations, scorer.problem),
        }
    if trial.final_calibrations:
        facts["final_calibration"] = _by_head(trial.final_calibrations, scorer.problem)
    if trial.refit is not None:
        facts["chosen"] = dict(trial.refit.chosen)
    if trial.members:
        facts["members"] = [
            {"trial": t.number, "name": t.name, "weight": round(w, 8)} for t, w in trial.members
        ]
    return facts


def _settings(candidate: Candidate, settings: Settings) -> dict[str, object]:
    if candidate.solver is not None:
        return {"solver": repr(candidate.solver)}
    small = {} if candidate.small is None else {"small": repr(candidate.small)}
    return described(settings) | small


def _history(trained: Trained) -> Mapping[str, Any]:
    return {
        "fold": trained.fold,
        "best_epoch": trained.history.best_epoch,
        "stopped": trained.history.stopped,
        "epochs": [
            {"epoch": e.epoch, "loss": e.loss, "held_out": e.held_out, "seconds": round(e.seconds, 4)}
            for e in trained.history.epochs
        ],
    }


def _by_head(calibrations: Sequence[Calibration], problem: Problem) -> dict[str, Any]:
    return {head.name: asdict(one) for head, one in zip(problem.heads, calibrations, strict=False)}
