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
from composable.training.baseline import fit_baseline
from composable.training.candidate import Baseline, Trained
from composable.training.checkpointer import forget
from composable.training.folds import FoldTrainer
from composable.training.job import Fitted, Job, Notify, epoch_facts
from composable.training.learn_from_file import learn_from_file
from composable.training.stages.staging import Staged, go_through
from composable.training.storage import load_refit, load_trained, save_trained, stored_network
from composable.training.trainers import Trainers

_SHARE_OF_STAGES = 0.5  # of the time


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
        save_trained(job.folder, network, job.network)
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
