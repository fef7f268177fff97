"""The search over one table: the policy decides what is next, an executor trains, the best is deployed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

from composable.auto.candidate_list import Upcoming, upcoming
from composable.auto.deploying import NotDeployableError
from composable.auto.disk import has_room
from composable.auto.further_training import learn_from_whole_file, predict_again, refit, train_more_folds
from composable.auto.outlook import outlook
from composable.auto.told_study import entry_of, open_study
from composable.auto.trainings import Trainings
from composable.auto.user_inputs import UserInputs
from composable.core.errors import NothingSucceeded
from composable.core.terminal import number
from composable.problem.metrics import better
from composable.search.ensemble import blend_members, ensemble_members, score_without
from composable.search.expected import Expected, expected_score
from composable.search.failures import alike_in_a_row, told
from composable.search.limits import SingleChoice
from composable.search.policy import (
    MOST_ALIKE,
    State,
    Step,
    compiles_ahead,
    is_refitted_to_deploy,
    most_folds,
    next_step,
    no_time_to_learn,
    refits_fit,
)
from composable.search.predictions import constant_predictions
from composable.search.space import OpenCandidate
from composable.search.study import Study
from composable.search.suggestions import Outcome
from composable.search.trial import Trial, is_better
from composable.training.candidate import Candidate
from composable.training.forest import holds_trees

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
    _study: Study | None = None

    def __post_init__(self) -> None:
        self.prepared, self.book = self.trainings.prepared, self.trainings.book
        self.options, split = self.trainings.options, self.prepared.split
        self._state = State(
            self.trainings.left,
            baseline_first=self.trainings.modality.baseline.first,
            workers=self.trainings.executor.workers,
            folds_left=split.scored_folds < len(split.folds),
            has_more_folds=not self._is_timed,
            has_file=self.prepared.material.file is None,
        )

    def run(self) -> None:
        """Search until the candidates or the time are used up; the best is deployed whenever it changes.

        Raises:
            NothingSucceeded: If no network could be trained.
        """
        try:
            self._upcoming = upcoming(self.trainings, self.user_inputs, self._outcomes)
            self._state = replace(
                self._state, has_suggestions=self._upcoming.suggesting or not self._is_timed
            )
            self._study = open_study(self.trainings, self._families)
            while (step := next_step(self._now())).what != "end":
                self._take(step)
        finally:
            self.trainings.end()
            if self._study is not None:
                self._study.close()
        if self.best is None:
            raise NothingSucceeded(
                "No network could be trained.",
                received=told(self.book.trials),
                remedy=f"`composable failures {self.book.recorder.folder}` lists each with its log",
            )

    @property
    def _families(self) -> list[OpenCandidate]:
        """The families as a person decided, then as they were before."""
        return [*self._upcoming.families, *self._upcoming.before]

    @property
    def _is_timed(self) -> bool:
        return math.isfinite(self.trainings.deadline.seconds)

    def _now(self) -> State:
        networks = [t for t in self.book.trials if t.role == "network"]
        return replace(
            self._state,
            left=self.trainings.left,
            running=self.trainings.running,
            succeeded=len(self.book.succeeded),
            waits=self._state.candidates_left and self._upcoming.waits_for(self.trainings.running_names),
            cut_short=bool(networks) and networks[-1].cut_short,
            alike_failures=alike_in_a_row(networks),
        )

    def _take(self, step: Step) -> None:
        """Take a step of the policy."""
        if step.what == "wait":
            self._ended(self.trainings.next_ended())
        elif step.what == "candidate":
            self._begin_next(step.seconds)
        else:
            steps = {
                "constant": self._constant_predictor,
                "baseline": lambda: self.trainings.begin_baseline(step.seconds),
                "ensemble": self._ensemble,
                "more_folds": self._more_folds,
                "suggestions": self._begin_suggesting,
                "refit": self._refit_on_all_rows,
                "file": self._learn_from_whole_file,
            }
            self._state = replace(self._state, **{f"has_{step.what}": True})
            steps[step.what]()
        self._look_for_room()

    def _look_for_room(self) -> None:
        """Train nothing more where the disk or the memory that the run may take is full."""
        if self.best is None or self._state.no_room:  # the first network must come to be
            return
        kept = {t for one in (self.best, self.deployed) if one is not None for t, _ in one.shares}
        if not has_room(self.options, self.book, kept):
            self._state = replace(self._state, no_room=True)

    def _begin_next(self, seconds: float) -> None:
        """Begin the next candidate, if what it takes at least fits into the time."""
        candidate = self._upcoming.next()
        if candidate is None:
            self._state = replace(self._state, candidates_left=False)
            return
        trial = self.trainings.new_trial(candidate)
        if deadly := self.trainings.deadly(trial):
            trial.status, trial.reason = "failed", deadly
            self._ended(trial)
        elif why := no_time_to_learn(self._now(), seconds, lambda: self.trainings.least_seconds(trial)):
            trial.status, trial.reason = "skipped", why
            self._ended(trial)
            self._upcoming.skipped(candidate)
        else:
            if not self._is_timed:
                expected = outlook(candidate, self._upcoming, self.trainings)
                self.book.recorder.happened("outlook", **asdict(expected))
            self.trainings.begin(trial, seconds)
        self._state = replace(self._state, begun=self._state.begun + 1)
        self._compile_ahead()

    def _compile_ahead(self) -> None:
        """Compile the next network of those to come while others are trained or solved for."""
        if compiles_ahead(self._now()) and (candidate := self._next_network()) is not None:
            self.trainings.prepare(candidate)

    def _next_network(self) -> Candidate | None:
        return self._upcoming.next_network(self.trainings.running_names)

    def _begin_suggesting(self) -> None:
        """Where time is left after more folds of the best, go on with suggestions, then do the same again."""
        if self._upcoming.begin_suggesting():
            self._state = replace(self._state, candidates_left=True, has_ensemble=False, has_more_folds=False)

    def _outcomes(self) -> list[Outcome]:
        """What is known of the candidates that were begun, in the order of their numbers."""
        sign = -1.0 if self.book.scorer.higher_is_better else 1.0
        ended = [trial for trial in self.book.trials if trial.role == "network"]
        running = [trial for trial in self.trainings.running_trials if trial.role == "network"]
        found = [(t, Outcome(t.network, sign * t.score if t.status == "done" else math.nan)) for t in ended]
        found += [(trial, Outcome(trial.network, ended=False)) for trial in running]
        return [outcome for _, outcome in sorted(found, key=lambda pair: pair[0].number)]

    def _constant_predictor(self) -> None:
        trial = self.book.new("constant_predictor", "reference", "constant_predictor")
        trial.predictions = constant_predictions(self.prepared.material, self.prepared.split)
        self.book.scorer = replace(self.book.scorer, constant=trial.predictions)
        trial.score = self.book.scorer.selection(trial.predictions)
        self._ended(trial)

    def _ensemble(self) -> None:
        """Weigh the candidates against each other; where a single one is wanted, choose it."""
        if (single := self.options.single_choice) is not None:
            self._choose_single(single)
            return
        members = ensemble_members(
            self.book.deployable, self.book.scorer, self.options.limits, seed=self.options.seed
        )
        if not members:
            return
        trial = self.book.new("ensemble", "ensemble", "-".join(f"{t.identity}:{w:.4f}" for t, w in members))
        trial.members = members
        blend_members(trial, self.book.scorer)
        trial.score = self.book.scorer.selection(trial.predictions)
        self._say_what_networks_reach(trial)
        self._ended(trial)

    def _say_what_networks_reach(self, ensemble: Trial) -> None:
        """Where trees are in the ensemble, tell the user the score of the best one without them."""
        found = self.book.deployable
        trees = [t for t in found if holds_trees(t.network)]
        if len(trees) < len(found) and any(t in trees for t, _ in ensemble.members):
            metric = self.book.scorer.problem.metric
            alone = score_without(ensemble, trees, found, self.book.scorer)
            self.book.note(
                f"Trees are in the ensemble: {metric} {number(ensemble.score)}; networks alone "
                f"reach {number(alone)} (--exclude boosted_trees --exclude extra_trees)."
            )

    def _choose_single(self, single: SingleChoice) -> None:
        """Deploy the candidate that the rule chooses, where that isn't the deployed one already."""
        scorer, found = self.book.scorer, self.book.deployable
        if self.best is None or self.deployed is None or not single.tolerance:
            return
        constant = math.nan if scorer.constant is None else scorer.selection(scorer.constant)
        sizes = [trial.deployed_weights for trial in found]
        chosen = found[single.of(scorer.problem.metric, [t.score for t in found], sizes, constant)]
        if chosen is self.deployed:
            return
        try:
            self._put_to_use(chosen)
        except NotDeployableError as refused:
            self.book.warn(str(refused))
            return
        self.book.note(
            f"{chosen.name} is deployed, the smallest that loses at most {single.tolerance:.3g} of the gain "
            f"of {self.best.name} over the constant predictor."
        )
        self.best = self.deployed = chosen

    def _more_folds(self) -> None:
        """Train what won on the other folds, while time allows: more rows learned from, more networks."""
        best, split = self.best, self.prepared.split
        if self.options.no_more_folds or self.options.one_network:
            return
        members = [t for t, _ in best.shares if t.refit is None] if best else []  # others know all rows
        if best is None or not members:
            return
        most = most_folds(best, len(split.folds), self.options.limits)
        grown = train_more_folds(members, self.trainings, most)

        def cut(member: Trial) -> None:
            del member.trained[split.scored_folds :]

        self._deploy_changed(best, grown, undo=cut)

    def _refit_on_all_rows(self) -> None:
        """Where one fold alone is trained, fit the best once more on all rows, by the settings found."""
        split, best, options = self.prepared.split, self.deployed, self.options
        if best is None or options.no_refit or (len(split.folds) > 1 and not options.one_network):
            return
        members = [t for t, _ in best.shares if t.refit is None]
        if not refits_fit(members, self.trainings.left):
            self.book.note("The time doesn't suffice to fit once more on all rows.")
            return
        refit(members, "all" if split.kind == "time" else "known", self.trainings)

        def forget(member: Trial) -> None:
            member.refit = None

        self._deploy_changed(best, members, undo=forget)

    def _deploy_changed(self, trial: Trial, changed: Sequence[Trial], undo: Callable[[Trial], None]) -> None:
        """Deploy a trial of which members changed; where held-out rows speak against it, undo that."""
        predict_again(trial, changed, self.trainings)
        if not changed or self.deployed is not trial:
            return
        try:
            self._put_to_use(trial)
        except NotDeployableError as worse:
            self.book.warn(str(worse))
            for member in changed:
                undo(member)
            predict_again(trial, changed, self.trainings)

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
        except NotDeployableError as worse:
            self.book.warn(str(worse))

    def _put_to_use(self, trial: Trial) -> None:
        """Deploy a trial; of closed-form fits, one network of all folds' rows instead of many.

        Raises:
            NotDeployableError: If the model predicts held-out rows worse than the score promises, or exceeds
                a limit.
        """
        trainings = self.trainings
        waiting = [
            t for t, _ in trial.shares if is_refitted_to_deploy(t, trainings.expected(t), trainings.left)
        ]
        refit(waiting, "known", trainings)
        predict_again(trial, waiting, trainings)
        self.deploy(trial)
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
            self.book.deployable,
            self.deployed,
            seed=self.options.seed,
            single=self.options.single_choice,
        )

    def _ended(self, trial: Trial) -> None:
        """Write the trial and deploy it if it is the best; only then send the event that it ended."""
        self.book.trials.append(trial)
        self.book.write(trial)
        if self._study is not None and trial.role == "network":
            self._study.tell([entry_of(trial, self._families)])
        if trial.status == "failed" and alike_in_a_row(self.book.trials) == MOST_ALIKE:
            self.book.warn(
                f"{MOST_ALIKE} candidates in a row failed of the same cause, so no further ones are tried: "
                f"{trial.reason}"
            )
        if trial.status == "done" and trial.role in ("network", "ensemble"):
            self._deploy_if_better(trial)
        self.book.ended(trial)

    def _deploy_if_better(self, trial: Trial) -> None:
        metric = self.book.scorer.problem.metric
        if not trial.has_weights:
            self.book.note(
                "Trials whose weights were removed keep their scores, but can't be deployed any more."
            )
            return
        if self.best is not None and not is_better(trial, self.best, self.book.scorer):
            return
        before, self.best = self.best, trial
        # What an earlier session deployed stays until this one has something as good. From then on the rules
        # are those of a run that nobody stopped: an ensemble may win with a score that a member beats.
        if self.deployed is None and better(metric, self.floor, trial.score):
            return
        try:
            self._put_to_use(trial)
        except NotDeployableError as worse:
            self.best, trial.status, trial.reason = before, "failed", str(worse)
            self.book.write(trial)
            return
        self.deployed = trial
        self.book.recorder.happened("saved", trial=trial.number, name=trial.name, score=trial.score)
