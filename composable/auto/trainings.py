"""The trainings of a search: begun as jobs, their time foreseen and learned, what they come to taken in."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from composable.auto.options import FitOptions
from composable.auto.prepare import Prepared
from composable.auto.time_reserve import TimeReserve
from composable.auto.trial_book import MOST_DEATHS, TrialBook
from composable.auto.user_inputs import stage_parts
from composable.core.budget import Deadline
from composable.core.machine import MEGABYTE, compile_cache, cores, memory_gb
from composable.data.split import Fold
from composable.deploy.bundle import file_bytes
from composable.design.building import outline
from composable.design.cost import cost
from composable.engine.predict import predict
from composable.modality import Modality, modality_of
from composable.search.cost_model import (
    CostModel,
    Timing,
    Work,
    closed_form_timing,
    load_cost_model,
    save_cost_model,
    timing_of,
)
from composable.search.policy import MOST_NETWORKS
from composable.search.trial import Trial, conclude, take_answers
from composable.training.candidate import Candidate
from composable.training.dataset import Dataset
from composable.training.executor import Executor, InProcess, LocalProcesses
from composable.training.folds import FoldTrainer
from composable.training.forest import growing_work, holds_trees
from composable.training.job import Fitted, Job, identity_of
from composable.training.trainers import FAILURES, Trainers

_MEMBERS = 5  # of an ensemble, usually, at most
_SHARE_OF_FILE = 0.5  # of the time, to learn from the whole file
_MEMORY_SHARE = 0.8  # of the machine's, for all processes together
_MOST_KEPT = 4000  # rows that a closed-form fit compares with each other


@dataclass(eq=False)
class Trainings:
    """The trainings over one prepared table.

    Attributes:
        prepared: The material and its split.
        book: Of the trials.
        deadline: When everything must be over, the report included.
        reserve: How much of the time is kept for the end.
        options: Seed, stages, and the number of processes.
        kept: Seconds that the search leaves for learning from the whole file.
    """

    prepared: Prepared
    book: TrialBook
    deadline: Deadline
    reserve: TimeReserve
    options: FitOptions
    kept: float = 0.0
    executor: Executor = field(init=False)
    _costs: CostModel = field(init=False)
    _running: dict[str, Trial] = field(default_factory=dict)  # by identity
    _arrived: list[Fitted] = field(default_factory=list)  # while another one was waited for

    def __post_init__(self) -> None:
        if self.prepared.material.file is not None and math.isfinite(self.deadline.seconds):
            self.kept = _SHARE_OF_FILE * self.deadline.remaining
        self._trainers = Trainers(Dataset(self.prepared.material, self.prepared.split.folds))
        self.executor = self._executor()
        self._costs = load_cost_model(compile_cache())

    def _executor(self) -> Executor:
        if self.options.workers == 1:
            return InProcess(self._trainers, self._notify)
        memory = _MEMORY_SHARE * 1e9 * (memory_gb() or math.inf)
        if self.options.max_memory is not None:
            memory = min(memory, self.options.max_memory * MEGABYTE)
        return LocalProcesses(
            self._trainers.dataset,
            self._notify,
            self.book.recorder.folder / "dataset",
            self.options.workers,
            memory / self.options.workers,
        )

    @property
    def left(self) -> float:
        """Seconds left for training."""
        return max(0.0, self.deadline.remaining - self.kept - self.ending)

    @property
    def ending(self) -> float:
        """Seconds that the end takes, the longer the more networks there are."""
        found = self.book.succeeded
        best_first = sorted(found, key=lambda t: t.score, reverse=self.book.scorer.higher_is_better)
        likely = best_first[:_MEMBERS]
        networks = sum(t.networks for t in likely) + self.prepared.split.scored_folds
        reserve = self.reserve.seconds(min(networks, MOST_NETWORKS), len(found) + 1)
        return reserve + sum(map(seconds_to_refit, likely))

    @property
    def running(self) -> int:
        """How many trainings have not ended."""
        return len(self._running)

    @property
    def running_trials(self) -> list[Trial]:
        """The trials whose trainings have not ended."""
        return list(self._running.values())

    @property
    def running_names(self) -> list[str]:
        """The names of the candidates among them."""
        return [trial.name for trial in self._running.values() if trial.role == "network"]

    @cached_property
    def modality(self) -> Modality:
        """The modality of the rows."""
        return modality_of(self.prepared.material.inputs, self.prepared.understood.problem)

    @cached_property
    def stages(self) -> tuple[Any, ...]:
        """The stages that come before each fit."""
        return stage_parts(self.options.stages, self.options.stage_settings, self.modality)

    def new_trial(self, candidate: Candidate) -> Trial:
        """A trial of a candidate, not begun."""
        trial = self.book.new(
            candidate.name, "network", identity_of(candidate, self.options.seed, self.stages)
        )
        trial.candidate = candidate
        return trial

    def least_seconds(self, trial: Trial) -> float:
        """What a trial's training takes at least, to be of use."""
        try:
            compiled = self.trainer(trial).is_compiled
        except FAILURES:  # its training will meet it as well, and say so
            return 0.0
        return self._costs.least_seconds(self._work(trial), compiled=compiled)

    def deadly(self, trial: Trial) -> str:
        """Why a candidate isn't trained in this process any more, which died of it again and again; or ""."""
        deaths = self.book.deaths(trial) if self.executor.workers == 1 else 0
        if deaths >= MOST_DEATHS:
            return f"the process died {deaths} times while it was trained"
        if deaths:
            self.book.warn(
                f"The process died {deaths} times while {trial.name} was trained, which is tried again "
                "(with --workers 2 candidates have processes of their own)."
            )
        return ""

    def expected(self, trial: Trial) -> Timing:
        """How long the training of a trial's scored folds takes."""
        return self._costs.expected(self._work(trial))

    def _work(self, trial: Trial) -> Work:
        return work_of(self.trainer(trial), self.prepared.split.scored)

    def prepare(self, candidate: Candidate) -> None:
        """Get ready for a candidate that comes later, while others are trained."""
        folder = self.book.recorder.folder  # the trial has no folder before it begins
        self.executor.prepare(Job(candidate, self._scored, self.options.seed, math.inf, folder, self.stages))

    def begin(self, trial: Trial, seconds: float) -> None:
        """Begin the training of a candidate on the folds that it is scored by."""
        self.book.begun(trial, self._scored)
        self._submit(trial, self.job(trial, self._scored, seconds))

    def begin_baseline(self, seconds: float) -> None:
        """Begin what networks have to beat, on the same folds."""
        baseline, seed = self.modality.baseline, self.options.seed
        trial = self.book.new(baseline.name, "baseline", identity_of(baseline, seed))
        self.book.begun(trial, self._scored)
        self._submit(trial, Job(baseline, self._scored, seed, seconds, trial.folder))

    @property
    def _scored(self) -> tuple[int, ...]:
        """The numbers of the folds that every candidate trains."""
        return tuple(range(self.prepared.split.scored_folds))

    def job(self, trial: Trial, folds: tuple[int, ...], seconds: float) -> Job:
        """The training of a trial's networks on some folds, by the settings that its stages chose."""
        return Job(
            trial.network,
            folds,
            self.options.seed,
            seconds,
            trial.folder,
            self.stages,
            settings=trial.settings,
        )

    def _submit(self, trial: Trial, job: Job) -> None:
        self._running[trial.identity] = trial
        self.executor.submit(job)

    def next_ended(self) -> Trial:
        """Wait until the training of a candidate or the baseline ends; its trial, with what became of it."""
        fitted = self._arrived.pop(0) if self._arrived else self.executor.poll()
        trial = self._running.pop(fitted.job.identity)
        if fitted.failure or fitted.skipped:
            trial.status = "failed" if fitted.failure else "skipped"
            trial.reason, trial.seconds = fitted.failure or fitted.skipped, fitted.seconds
            return trial
        try:
            self._take(trial, fitted)
        except FAILURES as failed:  # a metric of the user's own may refuse the predictions of one candidate
            trial.status, trial.reason = "failed", f"its predictions could not be scored: {failed}"[:500]
        else:
            if not math.isfinite(trial.score):
                trial.status = "failed"
                trial.reason = f"its predictions have no finite score ({trial.score})"
        return trial

    def _take(self, trial: Trial, fitted: Fitted) -> None:
        """Take what a job came to into its trial, and score it."""
        if trial.role == "baseline":
            trial.seconds = fitted.seconds
            take_answers(trial, fitted.networks, self.book.scorer)
            return
        trial.trained = list(fitted.networks)
        self._take_stages(trial, fitted)
        self._learn_cost(trial, fitted)
        self.conclude(trial)

    def do(self, trial: Trial, job: Job) -> Fitted:
        """Do a job and wait for it; what other jobs come to meanwhile is taken in later."""
        self._submit(trial, job)
        while (fitted := self.executor.poll()).job is not job:
            self._arrived.append(fitted)
        self._running.pop(trial.identity)
        if not job.refit:
            self._take_stages(trial, fitted)
        return fitted

    def end(self) -> None:
        """Stop what still runs, and keep what was learned of how long trainings take."""
        self.executor.cancel()
        save_cost_model(self._costs, compile_cache())

    def _notify(self, job: Job, event: str, facts: Mapping[str, Any]) -> None:
        """Write down what happens while a job is done."""
        if event == "warning":
            self.book.warn(facts["text"])
        else:
            self.book.recorder.happened(event, trial=self._running[job.identity].number, **facts)

    def _take_stages(self, trial: Trial, fitted: Fitted) -> None:
        trial.stages += tuple(dict(one) for one in fitted.stages)
        names = [fact["stage"] for fact in fitted.stages]
        for fact in fitted.stages:
            shown = {name: value for name, value in fact.items() if name != "evidence"}
            self.book.recorder.happened(
                "stage", trial=trial.number, folds=names.count(fact["stage"]), **shown
            )
        trial.settings = fitted.settings

    def _learn_cost(self, trial: Trial, fitted: Fitted) -> None:
        epochs = [epoch.seconds for epoch in trial.trained[0].history.epochs]
        if trial.network.solver is not None:
            seconds = sum(one.seconds for one in trial.trained)
            self._costs = self._costs.learned(closed_form_timing(self._work(trial), seconds))
        elif epochs and not self.stages:
            seconds = fitted.seconds + self.trainer(trial).compiling
            self._costs = self._costs.learned(timing_of(self._work(trial), epochs, seconds))

    def conclude(self, trial: Trial) -> None:
        """Calibrate a trial's networks, gather their predictions, score them, and say what they cost."""
        conclude(trial, self.book.scorer, self.options.seed)
        began = time.monotonic()
        self.book.scorer.selection(trial.predictions)
        self.reserve.scoring = time.monotonic() - began
        trial.cost |= self._cost(self.trainer(trial), len(trial.deployed_networks))

    def foreseen_cost(self, candidate: Candidate) -> dict[str, float]:
        """What one network of a candidate costs, before it is trained: what the limits ask for."""
        limits = self.options.limits
        if math.isinf(limits.bytes) and math.isinf(limits.latency_ms):
            model, _ = outline(candidate.architecture, self.prepared.material.shapes)
            return {"parameters": model.count_params()}
        return self._cost(self._trainers.of(candidate), 1)

    def _cost(self, trainer: FoldTrainer, networks: int) -> dict[str, float]:
        """As `cost_of`; where bytes are limited, those of the networks' files."""
        found = cost_of(trainer, networks)
        if math.isfinite(self.options.limits.bytes):
            found["bytes"] = networks * file_bytes(trainer.network)
        return found

    def trainer(self, trial: Trial) -> FoldTrainer:
        """The trial's graph."""
        return self._trainers.of(trial.network)


def seconds_to_refit(trial: Trial) -> float:
    """How long one fit of all rows takes in the place of a closed-form trial's many, where it is deployed."""
    if trial.network.solver is None or trial.refit is not None or len(trial.trained) < 2:
        return 0.0
    return min(cores(), len(trial.trained)) * trial.trained[0].seconds  # so many folds were fitted at once


def cost_of(trainer: FoldTrainer, networks: int) -> dict[str, float]:
    """What the trial's networks cost together: weights, bytes, milliseconds for a row (median of five)."""
    row = trainer.material.at(np.array([0]))
    predict(trainer.network, row)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        predict(trainer.network, row)
        times.append(time.perf_counter() - began)
    parameters = int(trainer.network.count_params()) * networks
    return {
        "parameters": parameters,
        "bytes": 4 * parameters,
        "latency_ms": round(1000 * float(np.median(times)) * networks, 3),
    }


def work_of(trainer: FoldTrainer, folds: Sequence[Fold]) -> Work:
    """What decides how long the training of a network on these folds takes."""
    rows, candidate, found = len(folds[0].train), trainer.candidate, cost(trainer.network)
    each, steps = float(found.multiply_adds) * rows, max(1, math.ceil(rows / candidate.settings.batch_size))
    layers = len(trainer.network.layers)
    if candidate.solver is not None:
        steps = 0
        if holds_trees(candidate):  # their graph says little of how they grow
            each = growing_work(trainer.network, rows)
            layers = sum(1 for layer in trainer.network.layers if layer.weights)
        else:  # features, and a matrix of all rows that are kept is solved
            each += float(found.training_bytes) * rows + min(rows, _MOST_KEPT) ** 3
    return Work(candidate.name, layers, each * len(folds), steps)
