"""The search over one table: the policy decides what is next, an executor trains, the best is deployed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from composable.auto.baselines import predictions_of, reference, seconds_of
from composable.auto.candidate_list import Upcoming, candidate_list
from composable.auto.deploying import NotAsScoredError
from composable.auto.file_learning import learn_from_whole_file
from composable.auto.more_folds import most_folds, train_more_folds
from composable.auto.refit import closed_form_refits, refit, refits_that_fit
from composable.auto.trainings import MOST_NETWORKS, Trainings
from composable.auto.trial_ensemble import blend_members, ensemble
from composable.auto.user_inputs import UserInputs
from composable.core.errors import NothingSucceeded
from composable.modality import Baseline
from composable.problem.metrics import better
from composable.search.expected import Expected, expected_score
from composable.search.policy import LEAST_SECONDS, State, Step, compiles_ahead, next_step, seconds_for_next
from composable.search.trial import Trial, is_better
from composable.training.candidate import Candidate

BASELINE_SHARE = 0.3  # of the time that is left after the first network
EARLY_SHARE = 0.05  # of the time that is left before it, where the networks then take all there is
Deploy = Callable[[Trial], None]


@dataclass(eq=False)
class Search:
    """One search over a prepared table.

    Attributes:
        trainings: Over the table.
        deploy: Called with each trial that is better than all before it.
        user_inputs: What the user brings to be trained.
        floor: The score of the model that an earlier session of the run deployed; NaN where there is none.
        best: The trial with the best score so far.
        deployed: The trial that this session deployed last.
    """

    trainings: Trainings
    deploy: Deploy
    user_inputs: UserInputs = field(default_factory=lambda: UserInputs())
    floor: float = math.nan
    best: Trial | None = None
    deployed: Trial | None = None
    _state: State = field(init=False)
    _upcoming: Upcoming = field(init=False)

    def __post_init__(self) -> None:
        self.prepared, self.book = self.trainings.prepared, self.trainings.book
        self.options, split = self.trainings.options, self.prepared.split
        self._state = State(
            self.trainings.left,
            baseline_first=self.trainings.modality.baseline.first,
            workers=self.trainings.executor.workers,
            folds_left=split.scored_folds < len(split.folds),
            has_more_folds=math.isinf(self.trainings.deadline.seconds),
            has_file=self.prepared.material.file is None,
        )

    def run(self) -> None:
        """Search until the candidates or the time are used up; the best is deployed whenever it changes.

        Raises:
            NothingSucceeded: If no network could be trained.
        """
        self._upcoming = Upcoming(candidate_list(self.trainings, self.user_inputs))
        try:
            while (step := next_step(self._now())) != "end":
                self._take(step)
        finally:
            self.trainings.end()
        if self.best is None:
            failed = [t for t in self.book.trials if t.status == "failed"]
            reasons = "; ".join(f"{t.name}: {t.reason}" for t in failed)
            raise NothingSucceeded("No network could be trained.", received=reasons[:500])

    def _now(self) -> State:
        networks = [t for t in self.book.trials if t.role == "network"]
        return replace(
            self._state,
            left=self.trainings.left,
            running=self.trainings.running,
            succeeded=len(self.book.succeeded),
            cut_short=bool(networks) and networks[-1].cut_short,
        )

    def _take(self, step: Step) -> None:
        """Take a step of the policy."""
        if step == "wait":
            self._ended(self.trainings.next_ended())
        elif step == "candidate":
            candidate = next(self._upcoming, None)
            if candidate is None:
                self._state = replace(self._state, candidates_left=False)
            else:
                self._begin(candidate)
                self._state = replace(self._state, begun=self._state.begun + 1)
                self._compile_ahead()
        else:
            steps = {
                "constant": self._constant_predictor,
                "baseline": self._baseline,
                "ensemble": self._ensemble,
                "more_folds": self._more_folds,
                "refit": self._refit_on_all_rows,
                "file": self._learn_from_whole_file,
            }
            steps[step]()
            self._state = replace(self._state, **{f"has_{step}": True})

    def _compile_ahead(self) -> None:
        """Compile the next network of those to come while others are trained or solved for."""
        if compiles_ahead(self._now()) and (candidate := self._upcoming.next_network()) is not None:
            self.trainings.prepare(candidate)

    def _constant_predictor(self) -> None:
        trial = self.book.new("constant_predictor", "reference", "constant_predictor")
        trial.predictions = reference(self.prepared)
        self.book.scorer = replace(self.book.scorer, constant=trial.predictions)
        trial.score = self.book.scorer.selection(trial.predictions)
        self._ended(trial)

    def _baseline(self) -> None:
        """A model of another kind, unless it would take more than a share of the time that is left."""
        usual = self.trainings.modality.baseline
        share = EARLY_SHARE if usual.first else BASELINE_SHARE
        trial = self.book.new(usual.name, "baseline", usual.name)
        self.book.begun(trial, (0,))
        began = time.monotonic()
        try:
            trial.reason = self._no_time_for(usual, share)
            if trial.reason:
                trial.status = "skipped"
            else:
                trial.predictions = predictions_of(usual, self.prepared, self.options.seed)
                trial.score = self.book.scorer.selection(trial.predictions)
        except (ValueError, MemoryError) as refused:  # scikit-learn's own limits; the networks go on
            trial.status, trial.reason = "failed", str(refused)[:300]
        trial.seconds = time.monotonic() - began
        self._ended(trial)

    def _no_time_for(self, usual: Baseline, share: float) -> str:
        """Why there isn't, or ""."""
        left = self.trainings.left
        if math.isinf(left):
            return ""
        if left < LEAST_SECONDS:
            return "no time was left for it"
        needed = seconds_of(usual, self.prepared, self.options.seed)
        return f"it takes about {needed:.1f} s, too much of the time" if needed > left * share else ""

    def _begin(self, candidate: Candidate) -> None:
        """Begin a candidate, if what it takes at least fits into the time."""
        trial, seconds = self.trainings.new_trial(candidate), seconds_for_next(self._now())
        if why := self._no_time_to_learn(trial, seconds):
            trial.status, trial.reason = "skipped", why
            self._ended(trial)
        else:
            self.trainings.begin(trial, seconds)

    def _no_time_to_learn(self, trial: Trial, seconds: float) -> str:
        """Why a candidate isn't begun, or ""; the very first one must come to be, however late it is."""
        if not (self.book.succeeded or self.trainings.running) or math.isinf(seconds):
            return ""
        if seconds < LEAST_SECONDS:
            return "the time limit came before it began"
        least = self.trainings.least_seconds(trial)
        return "" if least <= seconds else f"it would take {least:.0f} s at least; {seconds:.0f} s are left"

    @property
    def _most_weights(self) -> float:
        return math.inf if self.options.max_parameters is None else self.options.max_parameters

    def _ensemble(self) -> None:
        """Weigh the candidates against each other."""
        if (trial := ensemble(self.book, self._most_weights)) is not None:
            self._ended(trial)

    def _more_folds(self) -> None:
        """Train what won on the other folds, while time allows: more rows learned from, more networks."""
        best, split = self.best, self.prepared.split
        members = [t for t, _ in best.shares if t.refit is None] if best else []  # others know all rows
        if best is None or not members:
            return
        most = most_folds(best.shares, len(split.folds), self._most_weights)
        grown = train_more_folds(members, self.trainings, most)
        self._predict_again(best, grown)
        if grown and self.deployed is best:
            try:
                self._put_to_use(best)
            except NotAsScoredError as worse:  # the bundle of the scored networks stays
                self.book.warn(str(worse))
                for member in grown:
                    del member.trained[split.scored_folds :]
                self._predict_again(best, grown)

    def _refit_on_all_rows(self) -> None:
        """Where one fold alone is trained, fit the best once more on all rows, by the settings found."""
        split, best = self.prepared.split, self.deployed
        if best is None or len(split.folds) > 1 or self.options.no_refit:
            return
        if not (members := refits_that_fit(best, self.trainings)):
            return
        refit(members, "all" if split.kind == "time" else "known", self.trainings)
        self._predict_again(best, members)
        try:
            self.deploy(best)
        except NotAsScoredError as worse:
            self.book.warn(str(worse))
            for member in members:
                member.refit = None
            self._predict_again(best, members)

    def _learn_from_whole_file(self) -> None:
        """Where a sample was searched, let the best network learn from the rest of its file too."""
        self.trainings.kept, self._state = 0.0, replace(self._state, candidates_left=False)
        if self.deployed is None or not self.trainings.left:
            return
        better_one = learn_from_whole_file(self.deployed, self.trainings)
        if better_one is None:
            return
        try:
            self.deploy(better_one)
            self.deployed = better_one
        except NotAsScoredError as worse:
            self.book.warn(str(worse))

    def _put_to_use(self, trial: Trial) -> None:
        """Deploy a trial; of closed-form fits, one network of all folds' rows instead of many.

        Raises:
            NotAsScoredError: If the model predicts held-out rows worse than the score promises.
        """
        waiting = closed_form_refits(trial, self.trainings)
        refit(waiting, "known", self.trainings)
        self._predict_again(trial, waiting)
        self.deploy(trial)
        self.book.write(trial)

    def _predict_again(self, trial: Trial, changed: Sequence[Trial]) -> None:
        """What a trial predicts and costs, after its networks, or those of some members, became others."""
        for member in changed:
            self.trainings.conclude(member)
            self.book.write(member)
        if changed and trial.members:
            blend_members(trial, self.book.scorer)
            self.book.write(trial)

    def test(self) -> None:
        """Score everything on the user's test rows: once, when nothing more is chosen."""
        for trial in self.book.trials:
            self.book.write(trial, tested=True)

    def expected(self) -> Expected | None:
        """What to expect of the deployed model; None where there is none, or the rows don't determine it."""
        if self.deployed is None:
            return None
        return expected_score(
            self.book.scorer,
            self.book.succeeded,
            self.deployed,
            most=MOST_NETWORKS,
            seed=self.options.seed,
        )

    def _ended(self, trial: Trial) -> None:
        """Write the trial and deploy it if it is the best; only then send the event that it ended."""
        self.book.trials.append(trial)
        self.book.write(trial)
        if trial.status == "done" and trial.role in ("network", "ensemble"):
            self._deploy_if_better(trial)
        self.book.ended(trial)

    def _deploy_if_better(self, trial: Trial) -> None:
        metric = self.book.scorer.problem.metric
        if self.best is not None and not is_better(trial, self.best, self.book.scorer):
            return
        before, self.best = self.best, trial
        if better(metric, self.floor, trial.score):
            return  # what an earlier session deployed is still better
        try:
            self._put_to_use(trial)
        except NotAsScoredError as worse:
            self.best, trial.status, trial.reason = before, "failed", str(worse)
            self.book.write(trial)
            return
        self.deployed = trial
        self.book.recorder.happened("saved", trial=trial.number, name=trial.name, score=trial.score)
