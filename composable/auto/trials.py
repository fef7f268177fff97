"""The search itself: reference, candidates in order, baseline, ensemble, then more folds of what won."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from composable.auto.baselines import predictions_of, reference, seconds_of
from composable.auto.closing import Closing
from composable.auto.deploying import NotAsScoredError
from composable.auto.given import Given
from composable.auto.options import FitOptions
from composable.auto.prepare import Prepared
from composable.auto.record import Recorder
from composable.auto.settling import settle
from composable.auto.staging import OF_SETTINGS, go_through
from composable.auto.transfer import transferred
from composable.auto.trial_costs import cost_of, sum_of_costs, trainings_that_fit
from composable.core.budget import Deadline
from composable.core.errors import NothingSucceeded
from composable.core.workspace import write_atomically, write_json
from composable.data.schema import Notice
from composable.data.split import Fold
from composable.modality import Baseline, Modality, candidates, modality_of
from composable.modality.facts import facts_of
from composable.problem.metrics import better
from composable.problem.problem import Problem
from composable.problem.row_losses import constant_losses, row_losses
from composable.search.additions import is_worth_adding
from composable.search.ensemble import greedy_weights
from composable.search.expected import Expected, expected_score
from composable.search.predictions import blend
from composable.search.scorer import Scorer
from composable.search.small_enough import small_enough
from composable.search.trial import Role, Trial, conclude, record
from composable.training.candidate import Candidate, Material, Trained
from composable.training.checkpointer import forget
from composable.training.folds import Workbench
from composable.training.stages.stage import Weights
from composable.training.storage import load_trained, save_trained
from composable.training.unfinished import why_nothing

LEAST_SECONDS = 3.0  # less than this isn't worth compiling another network for
BASELINE_SHARE = 0.3  # of the time that is left after the first network
EARLY_SHARE = 0.05  # of the time that is left before it, where the networks then take all there is
MOST_OF_THE_LAST = 0.95  # for what is trained at the very end
MOST_OF_THE_REST = 0.5  # for one candidate, where the rest can go to other folds of the best
STAGES_SHARE = 0.5  # of a candidate's time, for the stages before its fit
ENOUGH = 3  # candidates that are trained before more folds of the best are thought of
MOST_CANDIDATES = 40  # later draws bring next to nothing, and each takes room on the disk
MOST_NETWORKS = 24  # in one deployed model: more take long to load and add little
Deploy = Callable[[Trial], None]


@dataclass(eq=False)
class Search:
    """One search over a prepared table.

    Attributes:
        prepared: The material and its split.
        recorder: Where everything that happens is written.
        deadline: When everything must be over, the report included.
        closing: How much of the time is kept for the end.
        options: Seed, and the number of trials and epochs at most.
        given: What the user brings to be trained.
        deploy: Called with each trial that is better than all before it.
        floor: The score of the model that an earlier session of the run deployed; NaN where there is none.
        deployed: The trial that this session deployed last.
    """

    prepared: Prepared
    recorder: Recorder
    deadline: Deadline
    closing: Closing
    options: FitOptions
    deploy: Deploy
    given: Given = field(default_factory=lambda: Given())
    floor: float = math.nan
    scorer: Scorer = field(init=False)
    trials: list[Trial] = field(default_factory=list)
    best: Trial | None = None
    deployed: Trial | None = None
    _benches: dict[int, Workbench] = field(default_factory=dict)
    _asked: dict[int, Candidate] = field(default_factory=dict)  # as they were before stages changed them

    def __post_init__(self) -> None:
        self.scorer = Scorer(
            self._problem,
            self.prepared.split,
            self._material.targets,
            self.prepared.own_targets,
            weights=self._material.weights,
        )

    @property
    def left(self) -> float:
        """Seconds left for training: the end needs its time, the longer the more networks there are."""
        networks = sum(t.networks for t in self.trials) + self.prepared.split.scored_folds
        return max(0.0, self.deadline.remaining - self.closing.seconds(min(networks, MOST_NETWORKS)))

    def run(self) -> None:
        """Search until the candidates or the time are used up; the best is deployed whenever it changes.

        Raises:
            NothingSucceeded: If no network could be trained.
        """
        self._reference()
        first = self.modality.baseline.first
        if first:
            self._baseline(EARLY_SHARE)
        for number, candidate in enumerate(self._candidates()):
            if self.best is not None and self.left < LEAST_SECONDS:
                break
            self._network(candidate)
            if number == 0 and not first:
                self._baseline(BASELINE_SHARE)
            if self._folds_remain and self.trials[-1].cut_short and self._networks >= ENOUGH:
                break  # the others wouldn't end either: the time is better spent on what won
        if self.best is None:
            reasons = "; ".join(f"{t.name}: {t.reason}" for t in self.trials if t.status == "failed")
            raise NothingSucceeded("No network could be trained.", received=reasons[:500])
        self._ensemble()
        self._more_folds(self.best)

    @property
    def _networks(self) -> int:
        """How many candidates were trained."""
        return sum(trial.role == "network" and trial.status == "done" for trial in self.trials)

    @property
    def _folds_remain(self) -> bool:
        """Whether what wins can go on learning on other folds than those that every candidate trains."""
        return self.prepared.split.scored_folds < len(self.prepared.split.folds)

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
        if self.given.origin is not None:
            freeze, unfreeze = self.options.freeze, self.options.unfreeze
            first = [transferred(self.given.origin, facts, self.prepared, freeze=freeze, unfreeze=unfreeze)]
        found = candidates(
            facts,
            seed=seed,
            seconds=self.left,
            max_epochs=self.options.max_epochs,
            design=self.given.design,
            first=first,
            training=self.given.training,
        )
        timed = math.isfinite(self.deadline.seconds) and not self._folds_remain
        draws = timed or self.options.max_trials is not None
        most = max(MOST_CANDIDATES, self.options.max_trials or 0)
        found = islice(found, most if draws else modality.portfolio_size(facts))
        if self.options.max_parameters is not None:
            most, networks = self.options.max_parameters, self.prepared.split.scored_folds
            found = small_enough(found, self._material.shapes, most=most, networks=networks)
        return islice(found, self.options.max_trials)

    @property
    def _most_weights(self) -> float:
        return math.inf if self.options.max_parameters is None else self.options.max_parameters

    def _reference(self) -> None:
        trial = self._trial("constant_predictor", "reference")
        trial.predictions = reference(self.prepared)
        self.scorer = replace(self.scorer, constant=trial.predictions)
        trial.score = self.scorer.selection(trial.predictions)
        self._ended(trial)

    def _baseline(self, share: float) -> None:
        """A model of another kind, unless it would take more than a share of the time that is left."""
        usual = self.modality.baseline
        trial = self._trial(usual.name, "baseline")
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

    def _network(self, candidate: Candidate) -> None:
        trial = self._trial(candidate.name, "network")
        trial.candidate = self._asked[trial.number] = candidate
        split = self.prepared.split
        try:
            trial.trained = load_trained(trial.folder, candidate)
            missing = range(len(trial.trained), split.scored_folds)
            first = self.best is None  # the very first network must come to be, however late it is
            worth = 1.0 if first or not self._folds_remain else MOST_OF_THE_REST
            if missing and not first and worth * self.left < LEAST_SECONDS:
                trial.status, trial.reason = "skipped", "the time limit came before it began"
            elif missing:
                self._train(trial, missing, worth * self.left)
            if trial.status == "done":
                self._conclude(trial)
                if math.isnan(trial.score):
                    trial.status, trial.reason = "failed", "its predictions have no score (NaN)"
        except (ValueError, RuntimeError, MemoryError, TypeError) as failed:
            trial.status, trial.reason = "failed", f"{type(failed).__name__}: {failed}"[:500]
            write_atomically(trial.folder / "traceback.txt", traceback.format_exc())
        self._ended(trial)
        if not self._folds_remain:
            self._benches.pop(trial.number, None)  # a compiled network takes memory

    def _conclude(self, trial: Trial) -> None:
        split, targets = self.prepared.split, self._material.targets
        conclude(trial, self._problem, split, targets, self.scorer, self.options.seed)
        trial.cost |= cost_of(self.bench(trial), len(trial.deployed_networks))

    def _train(self, trial: Trial, numbers: Sequence[int], seconds: float) -> None:
        """Train the trial's network on these folds, side by side."""
        about: dict[str, Any] = {"trial": trial.number, "name": trial.name}
        self.recorder.happened("trial_start", **about, fold=numbers[0], folds=len(numbers))
        folds = {number: self.prepared.split.folds[number] for number in numbers}
        deadline = Deadline(seconds, self.deadline.clock)
        starts = self._go_through_stages(trial, folds, deadline)
        trained = self.bench(trial).train(
            folds,
            seed=self.options.seed,
            deadline=deadline,
            starts=starts,
            folder=trial.folder,
            notice=self._warn,
            on_epoch=lambda number, epoch: self.recorder.happened(
                "epoch",
                trial=trial.number,
                fold=number,
                epoch=epoch.epoch,
                loss=epoch.loss,
                held_out=epoch.held_out,
            ),
        )
        for network in trained:
            if network.history.best_epoch < 0:
                raise RuntimeError(why_nothing(network.history))
            if network.fold >= self.prepared.split.scored_folds and not self._is_worth_adding(trial, network):
                self._note(f"A further network of {trial.name} is left out: held-out rows speak against it.")
                break
            save_trained(trial.folder, network, self._asked[trial.number])
            trial.trained.append(replace(network, weights=[]))
        forget(trial.folder)

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
        before, after = (
            row_losses(
                self._problem, observed, [np.mean(h, axis=0) for h in zip(*some, strict=True)], self._scales
            )
            for some in (each[:-1], each)
        )
        return bool(after.mean() <= before.mean())

    def _losses(self, trial: Trial, network: Trained) -> np.ndarray:
        """The loss of each row that a network stopped by."""
        rows = self.prepared.split.folds[network.fold].held_out
        observed = [y[rows] for y in self._material.targets]
        answers = trial.answers(network, network.held_out)
        return row_losses(self._problem, observed, answers, self._scales)

    @cached_property
    def _scales(self) -> list[float]:
        return constant_losses(self._problem, self._material.targets)

    def _go_through_stages(
        self, trial: Trial, folds: Mapping[int, Fold], deadline: Deadline
    ) -> Mapping[int, Weights]:
        """The stages that were asked for, in at most half the time; changes the candidate's settings."""
        names = [name for name in self.options.stages if not (trial.trained and name in OF_SETTINGS)]
        if not names or trial.network.solver is not None:
            return {}
        staged = go_through(
            self.bench(trial),
            folds,
            names,
            pretexts=self.modality.pretexts,
            seed=self.options.seed,
            deadline=deadline.keeping(deadline.remaining / 2)
            if math.isfinite(deadline.seconds)
            else deadline,
            folder=trial.folder,
            notice=self._warn,
        )
        trial.stages += staged.facts
        stages = [fact["stage"] for fact in staged.facts]
        for fact in staged.facts:
            told = {name: value for name, value in fact.items() if name != "evidence"}
            self.recorder.happened("stage", trial=trial.number, folds=stages.count(fact["stage"]), **told)
        if not trial.trained:  # later folds are trained as the first ones were
            trial.candidate = replace(trial.network, settings=staged.settings)
            self._benches[trial.number] = self.bench(trial).trained_by(staged.settings)
        return staged.starts

    def _note(self, text: str) -> None:
        self.recorder.notice(Notice(text))

    def _warn(self, text: str) -> None:
        self.recorder.notice(Notice(text, "warning"))

    def bench(self, trial: Trial) -> Workbench:
        """The trial's graph, compiled when first needed."""
        if trial.number not in self._benches:
            self._benches[trial.number] = Workbench(trial.network, self._material)
        return self._benches[trial.number]

    def _ensemble(self) -> None:
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
        trial = self._trial("ensemble", "ensemble")
        trial.members = tuple(chosen)
        trial.predictions = blend([t.predictions for t, _ in chosen], [w for _, w in chosen])
        trial.score = self.scorer.selection(trial.predictions)
        trial.seconds = time.monotonic() - began
        trial.cost = sum_of_costs([t for t, _ in chosen])
        self._ended(trial)

    def _more_folds(self, best: Trial) -> None:
        """Train what won on the other folds, while time allows: more rows learned from, more networks."""
        split = self.prepared.split
        members = [t for t, _ in best.shares if t.refit is None]  # the others have learned from all rows
        if math.isinf(self.deadline.seconds) or not members:
            return
        weights = sum(t.cost["parameters"] / len(t.deployed_networks) for t in members)
        room = self._most_weights - sum(t.cost["parameters"] for t, _ in best.shares if t.refit is not None)
        most = int(min(len(split.folds), MOST_NETWORKS // len(members), room / weights))
        grown: list[Trial] = []
        for member in sorted(members, key=lambda t: len(t.trained)):
            fit = trainings_that_fit(member, self.left, waiting=len(members) - len(grown))
            missing = range(len(member.trained), int(min(most, len(member.trained) + fit)))
            if missing:
                bench = self.bench(member)
                bench.candidate = replace(bench.candidate, share=MOST_OF_THE_LAST)
                self._train(member, missing, self.left)
                grown.append(member)
        self._hear_again(best, grown)
        if grown and self.deployed is best:
            try:
                self._put_to_use(best)
            except NotAsScoredError as worse:  # the bundle of the scored networks stays
                self._warn(str(worse))
                for member in grown:
                    del member.trained[split.scored_folds :]
                self._hear_again(best, grown)

    def _put_to_use(self, trial: Trial) -> None:
        """Deploy a trial; of what was solved for, one network in the place of many.

        Raises:
            NotAsScoredError: If the model answers held-out rows worse than the score says.
        """
        left, members = Deadline(self.left, self.deadline.clock), [t for t, _ in trial.shares]
        settled = settle(members, self.bench, self.prepared.split, seed=self.options.seed, deadline=left)
        self._hear_again(trial, settled)
        self.deploy(trial)
        self._write(trial)

    def _hear_again(self, trial: Trial, changed: Sequence[Trial]) -> None:
        """What a trial says and costs, after its networks, or those of some members, have become others."""
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
        """What to expect of the deployed model; None where nothing is, or the rows don't say."""
        if self.deployed is None:
            return None
        done = [t for t in self.trials if t.role == "network" and t.status == "done"]
        return expected_score(self.scorer, done, self.deployed, most=MOST_NETWORKS, seed=self.options.seed)

    def _trial(self, name: str, role: Role) -> Trial:
        number = len(self.trials)
        return Trial(number, self.recorder.folder / "trials" / str(number), name, role)

    def _ended(self, trial: Trial) -> None:
        """Write the trial down and deploy it if it is the best; only then say that it ended."""
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
