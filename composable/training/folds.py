"""Train one candidate on folds of a split, side by side; each predicts the rows it did not learn from."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import keras
import numpy as np
from threadpoolctl import threadpool_limits

from composable.core.budget import Deadline
from composable.core.machine import cores
from composable.core.seeds import GLOBAL_GENERATORS, derive
from composable.data.split import Fold
from composable.design import Part
from composable.design.taps import tap
from composable.engine.cohort import Cohort, Instance, in_parts
from composable.engine.feed.chunk import Feed
from composable.engine.history import Epoch, History
from composable.engine.predict import predict
from composable.engine.rows import Rows
from composable.engine.settings import CONSTANT, Settings
from composable.engine.train import Training, train
from composable.engine.training_options import Options
from composable.problem.kinds import kind_of
from composable.training.beginning import beginner
from composable.training.candidate import REFIT, Arrays, Candidate, Material, Small, Trained, shrunk
from composable.training.checkpointer import checkpointer
from composable.training.closed_form import ClosedFormProblem, LabeledRows, NetworkPool, Solution, median_of
from composable.training.fold_rows import FoldRows, is_mapped, mapped_feed, watched
from composable.training.mirrored_views import knows_mirrored_views, with_mirrored_views

_SOME = 20_000  # rows


@dataclass(eq=False)
class FoldTrainer:
    """One candidate's graph, and its training on folds of the rows.

    Attributes:
        candidate: What is trained.
        material: The rows.
        network: The graph; the values in it mean nothing.
        compiling: Seconds that `compile_ahead` took.
    """

    candidate: Candidate
    material: Material
    network: keras.Model = field(init=False)
    _pool: NetworkPool = field(init=False)
    _compiled: tuple[tuple[int, ...], int, Cohort] | None = field(default=None, init=False)  # folds, seed
    compiling: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.network = self.build()
        self._pool = NetworkPool(self.build)
        self._rows = FoldRows(self.material)

    def of(self, candidate: Candidate) -> FoldTrainer:
        """The same graph, trained as a candidate of the same architecture is."""
        other = copy(self)
        other.candidate = candidate
        other.forget_compiled()
        return other

    def forget_compiled(self) -> None:
        """Drop what was compiled ahead."""
        self._compiled = None

    def trained_by(self, settings: Settings) -> FoldTrainer:
        """The same graph, trained in another way."""
        return self.of(replace(self.candidate, settings=settings))

    def build(self) -> keras.Model:
        """A network of its own from the inputs to the logits of every head."""
        with GLOBAL_GENERATORS:
            network = tap(self.candidate.architecture.build(self.material.shapes), "logits")
        for number in self.candidate.frozen:
            network.layers[number].trainable = False
        return network

    def train(
        self,
        folds: Mapping[int, Fold],
        *,
        seed: int,
        deadline: Deadline,
        starts: Mapping[int, Sequence[np.ndarray]] | None = None,
        folder: Path | None = None,
        on_epoch: Callable[[int, Epoch], None] = lambda _number, _epoch: None,
        notify: Callable[[str], None] = lambda _text: None,
    ) -> list[Trained]:
        """Train a network on each fold's training rows, in one cohort; it stops by its held-out rows.

        Where the candidate has a solver, each is fitted in closed form instead.

        Args:
            folds: Which rows are which, by number; each number draws its own weights.
            seed: For everything random.
            deadline: Training stops when it is reached.
            starts: Weights that the networks of some folds begin with.
            folder: Where checkpoints of a long training are kept until it ends.
            on_epoch: Called with the number of a fold and its epoch, as each ends.
            notify: Called with what the user should know.

        Returns:
            One network per fold, in their order, with its outputs for the other rows.
        """
        if self.candidate.solver is not None:
            return self._closed_form_fits(self.candidate.solver, folds, seed=seed, deadline=deadline)

        def run(numbers: Sequence[int], until: Deadline) -> list[Trained]:
            cohort = self._compiled_cohort({number: folds[number] for number in numbers}, seed, starts or {})
            saving = None
            if folder is not None:
                name = f"checkpoints-{numbers[0]}-{numbers[-1]}"
                saving = checkpointer(folder / name, cohort, notify=notify)
            options = Options(
                on_epoch=lambda index, epoch: on_epoch(numbers[index], epoch),
                checkpointer=saving,
                share=self.candidate.share,
                as_one=len(numbers) > 1,
            )
            histories = train(cohort, deadline=until, options=options)
            return self.trained(cohort, [(n, folds[n]) for n in numbers], histories)

        if self.candidate.small is not None:
            starts = {**self._begun_small(self.candidate.small, folds, seed, deadline), **(starts or {})}
        if is_mapped(self.material.inputs):  # one after another: each reads the file for itself
            shares = zip(folds, range(len(folds), 0, -1), strict=True)
            return [run([n], Deadline(deadline.remaining / left, deadline.clock))[0] for n, left in shares]
        return in_parts(list(folds), run, deadline=deadline, notify=notify)

    @property
    def compiles_ahead(self) -> bool:
        """Whether there is anything that can be compiled before the training begins."""
        steps = self.candidate.solver is None and self.candidate.small is None
        return steps and keras.backend.backend() == "jax" and not is_mapped(self.material.inputs)

    @property
    def is_compiled(self) -> bool:
        """Whether a cohort that was compiled ahead waits to be trained."""
        return self._compiled is not None

    def compile_ahead(self, folds: Mapping[int, Fold], *, seed: int) -> None:
        """Compile what `train` will need for these folds, so that it begins with its first step."""
        began = time.monotonic()
        cohort = self.cohort(folds, seed, {})
        training = Training(cohort, Deadline(), Options(as_one=len(folds) > 1))
        training.compile([self._rows.query_rows(fold) for fold in folds.values()])
        self._compiled = tuple(folds), seed, cohort
        self.compiling = time.monotonic() - began

    def _compiled_cohort(
        self, folds: Mapping[int, Fold], seed: int, starts: Mapping[int, Sequence[np.ndarray]]
    ) -> Cohort:
        """The cohort that was compiled ahead, if it is that of these folds; it is used once."""
        compiled, self._compiled = self._compiled, None
        if compiled is not None and not starts and compiled[:2] == (tuple(folds), seed):
            return compiled[2]
        return self.cohort(folds, seed, starts)

    def _begun_small(
        self, small: Small, folds: Mapping[int, Fold], seed: int, deadline: Deadline
    ) -> dict[int, Arrays]:
        """Weights learned from small images; none where images are too many to be held twice."""
        if is_mapped(self.material.inputs):
            return {}
        images = shrunk(self.material.inputs["images"], small.scale)
        material = replace(self.material, inputs={**self.material.inputs, "images": images}, own_test=None)
        settings = self.candidate.settings
        settings = replace(
            settings, learning_rate_schedule=CONSTANT, epochs=max(1, round(small.share * settings.epochs))
        )
        begun = FoldTrainer(replace(self.candidate, small=None, settings=settings, share=1.0), material)
        until = Deadline(small.share * self.candidate.share * deadline.remaining, deadline.clock)
        return {one.fold: one.weights for one in begun.train(folds, seed=seed, deadline=until)}

    def cohort(
        self,
        folds: Mapping[int, Fold],
        seed: int,
        starts: Mapping[int, Sequence[np.ndarray]],
        feed: Feed | None = None,
    ) -> Cohort:
        """The networks of these folds, not yet trained; of a single one where it learns from a feed."""
        numbers, parts = list(folds), list(folds.values())
        seeds = [derive(seed, self.candidate.name, number) for number in folds]
        settings = self.candidate.settings
        if feed is not None or is_mapped(self.material.inputs):
            targets = tuple(y[: len(self.material.targets[0])] for y in self._rows.targets(parts[0]))
            whole = Rows(self.material.inputs, targets, self.material.weights)
            feed = feed or mapped_feed(whole, parts[0])
            query = self._rows.query_inputs(parts[0])
            rows, instance = watched(whole, parts[0], query, seeds[0], settings)
            instances = (instance,)
        else:
            rows = self._rows.all()
            instances = tuple(
                Instance(part.train, part.held_out, one, settings, self._rows.targets(part))
                for part, one in zip(parts, seeds, strict=True)
            )
        begin_with = beginner(self.build, self.material.categories)

        def begin(model: keras.Model, index: int) -> None:
            learned_from = self._learned_from(parts[index].train, seeds[index])
            begin_with(model, learned_from, seeds[index], starts.get(numbers[index], self.candidate.begin))

        goals = tuple(
            kind_of(head).goal(self.material.problem.metric) for head in self.material.problem.heads
        )
        return Cohort(self.network, goals, rows, instances, begin, feed)

    def _learned_from(self, train: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """The training rows, whose statistics a network begins with; some of those that lie in a file."""
        if is_mapped(self.material.inputs):
            train = np.sort(np.random.default_rng(derive(seed, "some")).permutation(train)[:_SOME])
        return self.material.at(train)

    def trained(
        self, cohort: Cohort, folds: Sequence[tuple[int, Fold]], histories: Sequence[History]
    ) -> list[Trained]:
        """The networks of a cohort that was trained on these folds, with what they predict."""
        weights = cohort.weights()
        queries = [self._rows.query_rows(part) for _, part in folds]
        if cohort.feed is not None:  # then the cohort holds these rows alone
            queries = [np.arange(len(one)) for one in queries]
        outputs = cohort.program.outputs(queries)
        found = []
        for index, (number, part) in enumerate(folds):
            history = histories[index]
            seconds = sum(epoch.seconds for epoch in history.epochs) / len(folds)
            heads, mirrored = outputs[index], False
            if knows_mirrored_views(self.candidate.settings):
                self.network.set_weights(weights[index])
                observed = [y[part.held_out] for y in self._rows.targets(part)]
                query = self._rows.query_inputs(part)
                heads, mirrored = with_mirrored_views(self.network, query, heads, cohort.goals, observed)
            trained = self._trained_on(number, part, weights[index], heads, history, seconds)
            found.append(replace(trained, mirrored=mirrored))
        return found

    def _closed_form_fits(
        self, solver: Part, folds: Mapping[int, Fold], *, seed: int, deadline: Deadline
    ) -> list[Trained]:
        """The solution of each fold, as many at once as there are cores.

        Where held-out rows choose the hyperparameters, they would be predicted too well by their own choice:
        each fold is predicted by the median of what the others chose, as `refit` takes that of all.
        """
        began, at_once = time.monotonic(), min(cores(), len(folds))
        threads = max(1, cores() // at_once)  # each would take all cores for its products
        each = Deadline(deadline.remaining * at_once / len(folds), deadline.clock).seconds

        def solution(number: int, chosen: Mapping[str, float] | None = None) -> Solution:
            own_seed, until = derive(seed, self.candidate.name, number), Deadline(each, deadline.clock)
            # OpenMP counts the threads of each thread by itself: what is allowed to this one is said in it.
            with threadpool_limits(threads, "openmp"), self._pool.lending() as fresh:
                problem = self._closed_form_problem(folds[number], own_seed, until, fresh)
                return solver(replace(problem, chosen=chosen))

        def by_others(number: int) -> Solution:
            solved, others = own[number], [one.chosen for fold, one in own.items() if fold != number]
            if not others or not solved.by_held_out or deadline.remaining <= 0:
                return solved
            chosen = median_of(others)
            if chosen == solved.chosen:
                return solved
            again = solved.again or (lambda chosen: solution(number, chosen).weights)
            return replace(solved, weights=again(chosen))

        shared = threadpool_limits(threads)
        with warnings.catch_warnings(), shared, ThreadPoolExecutor(at_once) as pool:
            warnings.simplefilter("ignore")  # a solver that stops early has found something all the same
            own = dict(zip(folds, pool.map(solution, folds), strict=True))
            solutions = list(pool.map(by_others, folds))
        seconds = (time.monotonic() - began) / len(folds)
        return [
            self._from_solution(number, part, solved, seconds)
            for (number, part), solved in zip(folds.items(), solutions, strict=True)
        ]

    def refit(
        self,
        networks: Sequence[Trained],
        folds: Sequence[Fold],
        *,
        seed: int,
        deadline: Deadline,
        everything: bool = False,
    ) -> Trained:
        """Fit one network on the rows of several folds, those held out included, by what theirs have chosen.

        A closed-form fit takes the median of what was chosen. A network that is trained step by step is
        trained for as many epochs as that of the first fold was best after, or as its schedule took.

        Args:
            networks: That of each fold.
            folds: In the same order.
            seed: For everything random.
            deadline: As for `train`.
            everything: Whether the test rows are learned from as well.
        """
        began = time.monotonic()
        parts = [rows for fold in folds for rows in (fold.train, fold.held_out)]
        rows = np.unique(np.concatenate([*parts, folds[0].test] if everything else parts))
        test = rows[:0] if everything else folds[0].test
        if self.candidate.solver is None:
            return self._refit_by_steps(networks[0], Fold(rows, rows[:0], test), seed=seed, deadline=deadline)
        chosen = median_of([one.chosen for one in networks])
        problem = self._closed_form_problem(
            Fold(rows, rows, rows[:0]), derive(seed, self.candidate.name, "whole"), deadline, self.build
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solved = self.candidate.solver(replace(problem, chosen=chosen))
        query = Fold(rows, rows[:1], test)
        return replace(self._from_solution(REFIT, query, solved, time.monotonic() - began), held_out=[])

    def _refit_by_steps(self, network: Trained, fold: Fold, *, seed: int, deadline: Deadline) -> Trained:
        settings, history = self.candidate.settings, network.history
        epochs = len(history.epochs) if settings.patience is None else history.best_epoch + 1
        trainer = self.trained_by(replace(settings, epochs=max(1, epochs), patience=None))
        query = (
            fold if len(fold.test) else replace(fold, test=fold.train[:1])
        )  # something is predicted always
        (found,) = trainer.train({REFIT: query}, seed=seed, deadline=deadline)
        return replace(found, held_out=[], test=found.test if len(fold.test) else [])

    def _closed_form_problem(
        self, part: Fold, seed: int, deadline: Deadline, fresh: Callable[[], keras.Model]
    ) -> ClosedFormProblem:
        targets, weights = self._rows.targets(part), self.material.weights
        learned, held_out = (
            LabeledRows(
                self.material.at(rows),
                tuple(y[rows] for y in targets),
                None if weights is None else weights[rows],
            )
            for rows in (part.train, part.held_out)
        )
        stated = self.material.problem
        return ClosedFormProblem(
            self.network, fresh, stated.heads, stated.metric, learned, held_out, seed, deadline
        )

    def _from_solution(self, number: int, part: Fold, solved: Solution, seconds: float) -> Trained:
        """The network that a solution is."""
        self.network.set_weights(solved.weights)
        outputs = predict(self.network, self._rows.query_inputs(part))
        history = History(solved.tried, solved.best, "closed_form")
        found = self._trained_on(number, part, solved.weights, outputs, history, seconds)
        return replace(found, chosen=solved.chosen)

    def _trained_on(
        self,
        number: int,
        fold: Fold,
        weights: Arrays,
        outputs: Arrays,
        history: History,
        seconds: float,
    ) -> Trained:
        """A network with its outputs for the rows in `FoldRows.query_rows`, per head."""
        held_out, test, own_test = self._rows.apart(fold, outputs)
        return Trained(
            fold=number,
            weights=weights,
            postprocessing=self._rows.postprocessing(fold),
            history=history,
            seconds=seconds,
            held_out=held_out,
            test=test,
            own_test=own_test,
        )
