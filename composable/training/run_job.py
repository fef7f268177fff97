"""Do a job: the one way in which a training begins."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.engine.history import History
from composable.engine.settings import Settings
from composable.engine.train import Options, train
from composable.training.baseline import fit_baseline
from composable.training.candidate import REFIT, Baseline, Trained
from composable.training.checkpointer import checkpointer, forget
from composable.training.folds import FoldTrainer
from composable.training.job import Fitted, Job, Notify, epoch_facts
from composable.training.stages.staging import Staged, go_through
from composable.training.storage import load_refit, load_trained, save_trained, stored_network
from composable.training.trainers import Trainers

_SHARE_OF_STAGES = 0.5  # of the time
_LEAST_EPOCHS = 3  # a schedule wants to see rows more than once
_MORE_STEPS = 2.0  # times as many as on the sample are of use, as more rows are harder to learn by heart


def run_job(job: Job, trainers: Trainers, notify: Notify) -> Fitted:
    """Train the networks of a job, or fit its baseline, and write what came of it into its folder.

    Networks that an earlier session of the same run has trained to their end are taken as they are.

    Args:
        job: What is trained.
        trainers: Over the rows and their folds.
        notify: Is given the events `epoch` (`fold`, `epoch`, `loss`, `held_out`) and `warning` (`text`).

    Raises:
        RuntimeError: If a network came to no weights.
        ValueError, TypeError, MemoryError: As the backend raises them.
    """
    if isinstance(job.candidate, Baseline):
        return fit_baseline(job, job.candidate, trainers.dataset)
    began = time.monotonic()
    if job.refit:
        networks, staged = [_refit(job, trainers, notify)], Staged(_settings(job), {}, ())
    else:
        networks, staged = _fold_networks(job, trainers, notify)
    return Fitted(
        job,
        tuple(replace(one, weights=[]) for one in networks),
        staged.settings,
        staged.facts,
        time.monotonic() - began,
    )


def _settings(job: Job) -> Settings:
    """That the job trains with, before its own stages."""
    return job.settings or job.network.settings


def _trainer(job: Job, trainers: Trainers) -> FoldTrainer:
    trainer, settings = trainers.of(job.network), _settings(job)
    return trainer if settings == job.network.settings else trainer.trained_by(settings)


def _fold_networks(job: Job, trainers: Trainers, notify: Notify) -> tuple[list[Trained], Staged]:
    known = {one.fold: one for one in load_trained(job.folder, job.network)}
    found = [known[number] for number in job.folds if number in known]
    missing = {number: trainers.dataset.folds[number] for number in job.folds if number not in known}
    staged = Staged(_settings(job), {}, ())
    if not missing:
        return found, staged
    deadline, trainer = Deadline(job.seconds), _trainer(job, trainers)
    if job.stages and job.network.solver is None:
        staged = _stages(trainer, job, missing, deadline, notify)
        trainer = trainer.trained_by(staged.settings)
    trained = trainer.train(
        missing,
        seed=job.seed,
        deadline=deadline,
        starts=staged.starts,
        folder=job.folder,
        notify=lambda text: notify("warning", {"text": text}),
        on_epoch=lambda number, epoch: notify("epoch", epoch_facts(number, epoch)),
    )
    for network in trained:
        if network.history.best_epoch < 0:
            raise RuntimeError(_why_nothing(network.history))
        save_trained(job.folder, replace(network, together=tuple(missing)), job.network)
    forget(job.folder)
    return sorted([*found, *trained], key=lambda one: one.fold), staged


def _stages(
    trainer: FoldTrainer, job: Job, folds: Mapping[int, Fold], deadline: Deadline, notify: Notify
) -> Staged:
    """Train in the stages that the user named, in at most half the time."""
    timed = math.isfinite(deadline.seconds)
    return go_through(
        trainer,
        folds,
        job.stages,
        seed=job.seed,
        deadline=deadline.keeping(deadline.remaining * _SHARE_OF_STAGES) if timed else deadline,
        folder=job.folder,
        notify=lambda text: notify("warning", {"text": text}),
    )


def _refit(job: Job, trainers: Trainers, notify: Notify) -> Trained:
    """One network that learns from the rows of all these folds, those held out included; or from a file."""
    if (found := load_refit(job.folder, job.network)) is not None:
        return found
    networks = [stored_network(job.folder, number) for number in job.folds]
    folds, trainer = [trainers.dataset.folds[number] for number in job.folds], _trainer(job, trainers)
    if job.refit == "file":
        network = learn_from_file(trainer, job, networks[0], folds[0], notify)
    else:
        deadline, everything = Deadline(job.seconds), job.refit == "all"
        network = trainer.refit(networks, folds, seed=job.seed, deadline=deadline, everything=everything)
    if network.history.best_epoch < 0:
        raise RuntimeError(_why_nothing(network.history))
    save_trained(job.folder, network, job.network)
    forget(job.folder)
    return network


def _why_nothing(history: History) -> str:
    """What kept a training from coming to any weights."""
    if (diverged := history.diverged) is not None:
        return (
            f"its loss stopped being a number in epoch {diverged.epoch + 1}, step {diverged.step + 1}, "
            f"at a learning rate of {diverged.learning_rate:.3g}"
        )
    return "the time limit came before its first epoch ended"


def learn_from_file(trainer: FoldTrainer, job: Job, network: Trained, fold: Fold, notify: Notify) -> Trained:
    """A network that learned from the file, but for the rows that are held out or tested by in a fold.

    It takes as many epochs as the network of that fold was best after, or as time allows; where time is not
    limited twice as many steps, and three epochs at least. What is best on the held-out rows is kept.

    Args:
        trainer: Of the candidate; its rows are a sample of the file.
        job: Has the seed, the time and the folder.
        network: That the candidate has trained on the fold.
        fold: The first of the job.
        notify: As `run_job` takes it.

    Raises:
        ValueError: If the rows are no sample of a file.
        DataError: If the file can't be read.
    """
    if (file := trainer.material.file) is None:
        raise ValueError("These rows are all there are.")
    settings, history = trainer.candidate.settings, network.history
    feed = file.feed(trainer.material.problem, fold, network.postprocessing)
    epochs = len(history.epochs) if settings.patience is None else history.best_epoch + 1
    if math.isinf(job.seconds):
        epochs = max(_LEAST_EPOCHS, math.ceil(_MORE_STEPS * epochs * len(fold.train) / feed.rows))
    trainer = trainer.trained_by(replace(settings, epochs=max(1, epochs), patience=None))
    cohort = trainer.cohort({REFIT: fold}, job.seed, {}, feed)

    def warn(text: str) -> None:
        notify("warning", {"text": text})

    options = Options(
        on_epoch=lambda _, epoch: notify("epoch", epoch_facts(job.folds[0], epoch)),
        checkpointer=checkpointer(job.folder / "checkpoints-file", cohort, notify=warn),
    )
    histories = train(cohort, deadline=Deadline(job.seconds), options=options)
    (found,) = trainer.trained(cohort, [(REFIT, fold)], histories)
    return replace(found, whole_file=True)
