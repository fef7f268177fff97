"""The search over one table: the policy decides what is next, an executor trains, the best is deployed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal

import numpy as np

from composable.auto.baselines import predictions_of, reference, seconds_of
from composable.auto.deploying import NotAsScoredError
from composable.auto.options import FitOptions
from composable.auto.prepare import Prepared
from composable.auto.record import Recorder
from composable.auto.stage_parts import stage_parts
from composable.auto.time_reserve import TimeReserve
from composable.auto.transfer import transferred
from composable.auto.trial_costs import cost_of, sum_of_costs, trainings_that_fit, work_of
from composable.auto.user_inputs import UserInputs
from composable.core.budget import Deadline
from composable.core.compile_cache import compile_cache
from composable.core.errors import NothingSucceeded
from composable.core.machine import memory_gb
from composable.core.workspace import read_json, write_json
from composable.data.schema import Notice
from composable.modality import Baseline, Modality, candidates, modality_of
from composable.modality.facts import facts_of
from composable.problem.metrics import better
from composable.problem.problem import Problem
from composable.problem.row_losses import constant_losses, row_losses
from composable.search.additions import is_worth_adding
from composable.search.cost_model import CostModel, load_cost_model, save_cost_model, timing_of
from composable.search.ensemble import greedy_weights
from composable.search.expected import Expected, expected_score
from composable.search.policy import LEAST_SECONDS, State, Step, next_step, seconds_for_next
from composable.search.predictions import blend
from composable.search.scorer import Scorer
from composable.search.small_enough import small_enough
from composable.search.trial import Role, Trial, conclude, record
from composable.training.candidate import Candidate, Material, Trained
from composable.training.dataset import Dataset
from composable.training.executor import Executor, InProcess, LocalProcesses
from composable.training.folds import FoldTrainer
from composable.training.job import Fitted, Job, identity_of

BASELINE_SHARE = 0.3  # of the time that is left after the first network
EARLY_SHARE = 0.05  # of the time that is left before it, where the networks then take all there is
LAST_SHARE = 0.95  # for what is trained at the very end
MOST_CANDIDATES = 40  # later draws bring next to nothing, and each takes room on the disk
MOST_NETWORKS = 24  # in one deployed model: more take long to load and add little
_KEPT_TRAINERS = 3  # built networks
_LONGER = 4  # times as long as a fold takes a closed-form fit on all rows, with no other beside it
_REFIT_LONGER = 1.4  # times as long as its training takes a network on all rows
_MEMORY_SHARE = 0.8  # of the machine's, for all processes together
Deploy = Callable[[Trial], None]


@dataclass(eq=False)
class Search:
    """One search over a prepared table.

    Attributes:
        prepared: The material and its split.
        recorder: Where everything that happens is written.
        deadline: When everything must be over, the report included.
        reserve: How much of the time is kept for the end.
        options: Seed, and the number of trials and epochs at most.
        deploy: Called with each trial that is better than all before it.
        user_inputs: What the user brings to be trained.
        floor: The score of the model that an earlier session of the run deployed; NaN where there is none.
        deployed: The trial that this session deployed last.
    """

    prepared: Prepared
    recorder: Recorder
    deadline: Deadline
    reserve: TimeReserve
    options: FitOptions
    deploy: Deploy
    user_inputs: UserInputs = field(default_factory=lambda: UserInputs())
    floor: float = math.nan
    scorer: Scorer = field(init=False)
    trials: list[Trial] = field(default_factory=list)
    best: Trial | None = None
    deployed: Trial | None = None
    executor: Executor = field(init=False)
    _costs: CostModel = field(init=False)
    _running: dict[str, Trial] = field(default_factory=dict)  # by identity
    _trainers: dict[int, FoldTrainer] = field(default_factory=dict)
    _arrived: list[Fitted] = field(default_factory=list)  # while another one was waited for
    _state: State = field(init=False)

    def __post_init__(self) -> None:
        split = self.prepared.split
        targets, own = self._material.targets, self.prepared.own_targets
        self.scorer = Scorer(self._problem, split, targets, own, weights=self._material.weights)
        self.executor = self._executor()
        self._costs = load_cost_model(compile_cache())
        self._state = State(
            self.left,
            baseline_first=self.modality.baseline.first,
            places=self.executor.places,
            folds_left=split.scored_folds < len(split.folds),
            has_more_folds=math.isinf(self.deadline.seconds),
        )

    def _executor(self) -> Executor:
        dataset = Dataset(self._material, self.prepared.split.folds)
        if self.options.workers == 1:
            return InProcess(dataset, self._notify)
        memory = 1e9 * (memory_gb() or math.inf)
        return LocalProcesses(
            dataset,
            self._notify,
            self.recorder.folder / "dataset",
            self.options.workers,
            _MEMORY_SHARE * memory / self.options.workers,
        )

    @property
    def left(self) -> float:
        """Seconds left for training: the end needs its time, the longer the more networks there are."""
        networks = sum(t.networks for t in self.trials) + self.prepared.split.scored_folds
        return max(0.0, self.deadline.remaining - self.reserve.seconds(min(networks, MOST_NETWORKS)))

    def run(self) -> None:
        """Search until the candidates or the time are used up; the best is deployed whenever it changes.

        Raises:
            NothingSucceeded: If no network could be trained.
        """
        found = self._candidates()
        try:
            while (step := next_step(self._now())) != "end":
                self._take(step, found)
        finally:
            self.executor.cancel()
            save_cost_model(self._costs, compile_cache())
        if self.best is None:
            reasons = "; ".join(f"{t.name}: {t.reason}" for t in self.trials if t.status == "failed")
            raise NothingSucceeded("No network could be trained.", received=reasons[:500])

    def _now(self) -> State:
        networks = [t for t in self.trials if t.role == "network"]
        return replace(
            self._state,
            left=self.left,
            running=len(self._running),
            succeeded=sum(t.status == "done" for t in networks),
            cut_short=bool(networks) and networks[-1].cut_short,
        )

    def _take(self, step: Step, found: Iterator[Candidate]) -> None:
        """Take a step of the policy."""
        if step == "wait":
            self._take_in(self._arrived.pop(0) if self._arrived else self.executor.poll())
        elif step == "candidate":
            candidate = next(found, None)
            if candidate is None:
                self._state = replace(self._state, candidates_left=False)
            else:
                self._begin(candidate)
                self._state = replace(self._state, begun=self._state.begun + 1)
        else:
            steps = {
                "constant": self._constant_predictor,
                "baseline": self._baseline,
                "ensemble": self._ensemble,
                "more_folds": self._more_folds,
                "refit": self._refit_on_all_rows,
            }
            steps[step]()
            self._state = replace(self._state, **{f"has_{step}": True})

    @property
    def _problem(self) -> Problem:
        return self.prepared.understood.problem

    @property
    def _material(self) -> Material:
        return self.prepared.material

    @property
    def modality(self) -> Modality:
        """The modality of the rows."""
        return modality_of(self._material.inputs, self._problem)

    def _candidates(self) -> Iterator[Candidate]:
        """The portfolio; where time or trials are left on few rows, random draws as well.

        On many rows the time is better spent on more folds of what won.
        """
        split, seed, modality = self.prepared.split, self.options.seed, self.modality
        facts = replace(
            facts_of(self._material, split, self.prepared.encoding),
            most_weights=self._most_weights / split.scored_folds,
        )
        if modality.augment is not None:
            train = split.folds[0].train
            facts = modality.augment(facts, self._material, train, self.options.augment, seed, self._note)
        first = []
        if (source := self.user_inputs.pretrained) is not None:
            freeze, unfreeze = self.options.freeze, self.options.unfreeze
            first = [transferred(source, facts, self.prepared, freeze=freeze, unfreeze=unfreeze)]
        found = candidates(
            facts,
            seed=seed,
            seconds=self.left,
            max_epochs=self.options.max_epochs,
            design=self.user_inputs.design,
            first=first,
            training=self.user_inputs.training,
        )
        timed = math.isfinite(self.deadline.seconds) and not self._state.folds_left
        draws = timed or self.options.max_trials is not None
        most = max(MOST_CANDIDATES, self.options.max_trials or 0)
        found = islice(found, most if draws else modality.portfolio_size(facts))
        if self.options.max_parameters is not None:
            most, networks = self.options.max_parameters, split.scored_folds
            found = small_enough(found, self._material.shapes, most=most, networks=networks)
        return islice(found, self.options.max_trials)

    @property
    def _most_weights(self) -> float:
        return math.inf if self.options.max_parameters is None else self.options.max_parameters

    def _constant_predictor(self) -> None:
        trial = self._trial("constant_predictor", "reference", "constant_predictor")
        trial.predictions = reference(self.prepared)
        self.scorer = replace(self.scorer, constant=trial.predictions)
        trial.score = self.scorer.selection(trial.predictions)
        self._ended(trial)

    def _baseline(self) -> None:
        """A model of another kind, unless it would take more than a share of the time that is left."""
        usual = self.modality.baseline
        share = EARLY_SHARE if usual.first else BASELINE_SHARE
        trial = self._trial(usual.name, "baseline", usual.name)
        self.recorder.happened("trial_start", trial=trial.number, name=trial.name, fold=0, folds=1)
        began = time.monotonic()
        try:
            trial.reason = self._no_time_for(usual, share)
            if trial.reason:
                trial.status = "skipped"
            else:
                trial.predictions = predictions_of(usual, self.prepared, self.options.seed)
                trial.score = self.scorer.selection(trial.predictions)
        except (ValueError, MemoryError) as refused:  # scikit-learn's own limits; the networks go on
            trial.status, trial.reason = "failed", str(refused)[:300]
        trial.seconds = time.monotonic() - began
        self._ended(trial)

    def _no_time_for(self, usual: Baseline, share: float) -> str:
        """Why there isn't, or ""."""
        if math.isinf(self.left):
            return ""
        if self.left < LEAST_SECONDS:
            return "no time was left for it"
        needed = seconds_of(usual, self.prepared, self.options.seed)
        return f"it takes about {needed:.1f} s, too much of the time" if needed > self.left * share else ""

    def _begin(self, candidate: Candidate) -> None:
        """Begin a candidate, if what it takes at least fits into the time."""
        identity = identity_of(candidate, self.options.seed, self._stages)
        trial = self._trial(candidate.name, "network", identity)
        trial.candidate = candidate
        seconds = seconds_for_next(self._now())
        if why := self._no_time_to_learn(trial, seconds):
            trial.status, trial.reason = "skipped", why
            self._ended(trial)
            return
        self._submit(trial, tuple(range(self.prepared.split.scored_folds)), seconds)

    def _no_time_to_learn(self, trial: Trial, seconds: float) -> str:
        """Why a candidate isn't begun, or ""; the very first one must come to be, however late it is."""
        if (self._now().succeeded == 0 and not self._running) or math.isinf(seconds):
            return ""
        if seconds < LEAST_SECONDS:
            return "the time limit came before it began"
        if trial.network.solver is not None:
            return ""
        least = self._costs.least_seconds(work_of(self.trainer(trial), self.prepared.split.scored))
        return "" if least <= seconds else f"it would take {least:.0f} s at least; {seconds:.0f} s are left"

    def _submit(self, trial: Trial, folds: tuple[int, ...], seconds: float) -> None:
        """Give the training of a trial's networks to the executor."""
        first = {"fold": folds[0], "folds": len(folds)}
        self.recorder.happened("trial_start", trial=trial.number, name=trial.name, **first)
        self._running[trial.identity] = trial
        job = Job(trial.network, folds, self.options.seed, seconds, trial.folder, self._stages)
        self.executor.submit(job)

    def _notify(self, job: Job, event: str, facts: Mapping[str, Any]) -> None:
        """Write down what happens while a job is done."""
        if event == "warning":
            self._warn(facts["text"])
        else:
            self.recorder.happened(event, trial=self._running[job.identity].number, **facts)

    def _take_in(self, fitted: Fitted) -> None:
        """Take in what a candidate's job came to."""
        trial = self._running.pop(fitted.job.identity)
        if fitted.failure:
            trial.status, trial.reason, trial.seconds = "failed", fitted.failure, fitted.seconds
        else:
            trial.trained = list(fitted.networks)
            self._take_stages(trial, fitted)
            self._learn_cost(trial, fitted)
            self._conclude(trial)
            if math.isnan(trial.score):
                trial.status, trial.reason = "failed", "its predictions have no score (NaN)"
        self._ended(trial)

    def _take_stages(self, trial: Trial, fitted: Fitted) -> None:
        trial.stages += tuple(dict(one) for one in fitted.stages)
        names = [fact["stage"] for fact in fitted.stages]
        for fact in fitted.stages:
            shown = {name: value for name, value in fact.items() if name != "evidence"}
            self.recorder.happened("stage", trial=trial.number, folds=names.count(fact["stage"]), **shown)
        trial.settings = fitted.candidate.settings

    def _learn_cost(self, trial: Trial, fitted: Fitted) -> None:
        if trial.network.solver is None and not self._stages:
            epochs = [epoch.seconds for epoch in trial.trained[0].history.epochs]
            work = work_of(self.trainer(trial), self.prepared.split.scored)
            if epochs:
                self._costs = self._costs.learned(timing_of(work, epochs, fitted.seconds))

    def _conclude(self, trial: Trial) -> None:
        split, targets = self.prepared.split, self._material.targets
        conclude(trial, self._problem, split, targets, self.scorer, self.options.seed)
        trial.cost |= cost_of(self.trainer(trial), len(trial.deployed_networks))

    @cached_property
    def _stages(self) -> tuple[Any, ...]:
        return stage_parts(self.options.stages, self.modality)

    def trainer(self, trial: Trial) -> FoldTrainer:
        """The trial's graph; the last few are kept."""
        if trial.number not in self._trainers:
            if len(self._trainers) >= _KEPT_TRAINERS:  # a network takes memory
                self._trainers.pop(next(iter(self._trainers)))
            self._trainers[trial.number] = FoldTrainer(trial.network, self._material)
        return self._trainers[trial.number]

    def _ensemble(self) -> None:
        """Weigh the candidates against each other."""
        members = [t for t in self.trials if t.role == "network" and t.status == "done"]
        if len(members) < 2:
            return
        began = time.monotonic()
        parts = self.scorer.scored_parts
        rows = np.concatenate(parts)
        weights = greedy_weights(
            self.scorer.on_parts(parts),
            self._problem.metric,
            [[head[rows] for head in t.predictions.out_of_fold] for t in members],
            networks=[t.networks for t in members],
            most=MOST_NETWORKS,
        )
        chosen = [(t, float(w)) for t, w in zip(members, weights, strict=True) if w > 0]
        if len(chosen) < 2 or sum_of_costs([t for t, _ in chosen])["parameters"] > self._most_weights:
            return
        identity = "-".join(f"{t.identity}:{w:.4f}" for t, w in chosen)
        trial = self._trial("ensemble", "ensemble", identity)
        trial.members = tuple(chosen)
        trial.predictions = blend([t.predictions for t, _ in chosen], [w for _, w in chosen])
        trial.score = self.scorer.selection(trial.predictions)
        trial.seconds = time.monotonic() - began
        trial.cost = sum_of_costs([t for t, _ in chosen])
        self._ended(trial)

    def _more_folds(self) -> None:
        """Train what won on the other folds, while time allows: more rows learned from, more networks."""
        best, split = self.best, self.prepared.split
        members = [t for t, _ in best.shares if t.refit is None] if best else []  # others know all rows
        if best is None or not members:
            return
        weights = sum(t.cost["parameters"] / len(t.deployed_networks) for t in members)
        room = self._most_weights - sum(t.cost["parameters"] for t, _ in best.shares if t.refit is not None)
        most = int(min(len(split.folds), MOST_NETWORKS // len(members), room / weights))
        grown: list[Trial] = []
        for member in sorted(members, key=lambda t: len(t.trained)):
            fit = trainings_that_fit(member, self.left, waiting=len(members) - len(grown))
            missing = tuple(range(len(member.trained), int(min(most, len(member.trained) + fit))))
            if missing and self._train_more(member, missing):
                grown.append(member)
        self._predict_again(best, grown)
        if grown and self.deployed is best:
            try:
                self._put_to_use(best)
            except NotAsScoredError as worse:  # the bundle of the scored networks stays
                self._warn(str(worse))
                for member in grown:
                    del member.trained[split.scored_folds :]
                self._predict_again(best, grown)

    def _train_more(self, trial: Trial, folds: tuple[int, ...]) -> bool:
        """Train a trial's networks of these folds too; whether it has more of them now."""
        before = len(trial.trained)
        first = {"fold": folds[0], "folds": len(folds)}
        self.recorder.happened("trial_start", trial=trial.number, name=trial.name, **first)
        candidate = replace(trial.network, share=LAST_SHARE)
        job = Job(candidate, folds, self.options.seed, self.left, trial.folder, self._stages)
        fitted = self._do(trial, job)
        self._take_stages(trial, fitted)
        for network in fitted.networks:
            if not self._is_worth_adding(trial, network):
                self._note(f"A further network of {trial.name} is left out: held-out rows speak against it.")
                break
            trial.trained.append(network)
        return len(trial.trained) > before

    def _do(self, trial: Trial, job: Job) -> Fitted:
        """Do a job and wait for it; what other jobs come to meanwhile is taken in later."""
        job = replace(job, settings=trial.settings)
        self._running.setdefault(trial.identity, trial)
        self.executor.submit(job)
        while (fitted := self.executor.poll()).job is not job:
            self._arrived.append(fitted)
        self._running.pop(trial.identity)
        return fitted

    def _is_worth_adding(self, trial: Trial, network: Trained) -> bool:
        """Whether held-out rows speak for a network beside those that the trial has.

        Its own held-out rows must, and those that no network learned from.
        """
        first = trial.trained[: self.prepared.split.scored_folds]
        scored = np.concatenate([self._losses(trial, one) for one in first])
        if not is_worth_adding(self._losses(trial, network), scored):
            return False
        rows = self.prepared.split.folds[0].test
        if not len(rows):
            return True
        observed = [y[rows] for y in self._material.targets]
        each = [trial.answers(one, one.test) for one in (*trial.trained, network)]
        averages = [[np.mean(head, axis=0) for head in zip(*some, strict=True)] for some in (each[:-1], each)]
        before, after = (row_losses(self._problem, observed, one, self._scales).mean() for one in averages)
        return bool(after <= before)

    def _losses(self, trial: Trial, network: Trained) -> np.ndarray:
        """The loss of each row that a network stopped by."""
        rows = self.prepared.split.folds[network.fold].held_out
        observed = [y[rows] for y in self._material.targets]
        answers = trial.answers(network, network.held_out)
        return row_losses(self._problem, observed, answers, self._scales)

    @cached_property
    def _scales(self) -> list[float]:
        return constant_losses(self._problem, self._material.targets)

    def _refit_on_all_rows(self) -> None:
        """Where one fold alone is trained, fit the best once more on all rows, by the settings found."""
        split, best = self.prepared.split, self.deployed
        if best is None or len(split.folds) > 1 or self.options.no_refit:
            return
        members = [t for t, _ in best.shares if t.refit is None]
        if sum(t.seconds for t in members) * _REFIT_LONGER > self.left:
            self._note("The time doesn't suffice to fit once more on all rows.")
            return
        before = {t.number: t.refit for t in members}
        self._refit(members, "all" if split.kind == "time" else "known")
        self._predict_again(best, members)
        try:
            self.deploy(best)
        except NotAsScoredError as worse:
            self._warn(str(worse))
            for member in members:
                member.refit = before[member.number]
            self._predict_again(best, members)

    def _refit(self, trials: Sequence[Trial], rows: Literal["known", "all"]) -> None:
        """Give trials one network that learned from the rows of all their folds."""
        for trial in trials:
            folds = tuple(one.fold for one in trial.trained)
            job = Job(trial.network, folds, self.options.seed, self.left, trial.folder, refit=rows)
            fitted = self._do(trial, job)
            if fitted.failure:
                self._warn(f"{trial.name} could not be fitted on all rows: {fitted.failure}")
            else:
                (trial.refit,) = fitted.networks

    def _put_to_use(self, trial: Trial) -> None:
        """Deploy a trial; of closed-form fits, one network of all folds' rows instead of many.

        Raises:
            NotAsScoredError: If the model predicts held-out rows worse than the score promises.
        """
        waiting = [
            t
            for t, _ in trial.shares
            if t.network.solver is not None
            and t.refit is None
            and len(t.trained) > 1
            and self.left > _LONGER * max(one.seconds for one in t.trained)
        ]
        self._refit(waiting, "known")
        self._predict_again(trial, waiting)
        self.deploy(trial)
        self._write(trial)

    def _predict_again(self, trial: Trial, changed: Sequence[Trial]) -> None:
        """What a trial predicts and costs, after its networks, or those of some members, became others."""
        for member in changed:
            self._conclude(member)
            self._write(member)
        if changed and trial.members:
            trial.predictions = blend(
                [t.predictions for t, _ in trial.members], [w for _, w in trial.members]
            )
            trial.cost = sum_of_costs([t for t, _ in trial.members])
            self._write(trial)

    def test(self) -> None:
        """Score everything on the user's test rows: once, when nothing more is chosen."""
        for trial in self.trials:
            write_json(trial.folder / "trial.json", record(trial, self.scorer, tested=True))

    def expected(self) -> Expected | None:
        """What to expect of the deployed model; None where there is none, or the rows don't determine it."""
        if self.deployed is None:
            return None
        done = [t for t in self.trials if t.role == "network" and t.status == "done"]
        return expected_score(self.scorer, done, self.deployed, most=MOST_NETWORKS, seed=self.options.seed)

    def _note(self, text: str) -> None:
        self.recorder.notice(Notice(text))

    def _warn(self, text: str) -> None:
        self.recorder.notice(Notice(text, "warning"))

    def _trial(self, name: str, role: Role, identity: str) -> Trial:
        """A trial of something, numbered as in earlier sessions of the run; else by the next free number."""
        known = self._known_trials
        number = known.setdefault(identity, max(known.values(), default=-1) + 1)
        return Trial(number, self.recorder.folder / "trials" / str(number), name, role, identity)

    @cached_property
    def _known_trials(self) -> dict[str, int]:
        """The numbers of the trials of earlier sessions, by identity."""
        found = {}
        for path in (self.recorder.folder / "trials").glob("*/trial.json"):
            facts = read_json(path, remedy="remove its folder to train it again")
            found[str(facts.get("identity", path.parent.name))] = int(path.parent.name)
        return found

    def _ended(self, trial: Trial) -> None:
        """Write the trial and deploy it if it is the best; only then send the event that it ended."""
        self.trials.append(trial)
        self._write(trial)
        if trial.status == "done" and trial.role in ("network", "ensemble"):
            self._deploy_if_better(trial)
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

    def _deploy_if_better(self, trial: Trial) -> None:
        metric = self._problem.metric
        if self.best is not None and not better(metric, trial.score, self.best.score):
            return
        before, self.best = self.best, trial
        if better(metric, self.floor, trial.score):
            return  # what an earlier session deployed is still better
        try:
            self._put_to_use(trial)
        except NotAsScoredError as worse:
            self.best, trial.status, trial.reason = before, "failed", str(worse)
            self._write(trial)
            return
        self.deployed = trial
        self.recorder.happened("saved", trial=trial.number, name=trial.name, score=trial.score)

    def _write(self, trial: Trial) -> None:
        write_json(trial.folder / "trial.json", record(trial, self.scorer))
