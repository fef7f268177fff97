"""Train a network on all rows of a file of which a sample is held: by the settings that won on the sample."""

from __future__ import annotations

import math
from dataclasses import replace

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.engine.train import Options, train
from composable.training.candidate import REFIT, Trained
from composable.training.checkpointer import checkpointer
from composable.training.folds import FoldTrainer
from composable.training.job import Job, Notify, epoch_facts

_LEAST_EPOCHS = 3  # a schedule wants to see rows more than once
_MORE_STEPS = 2.0  # times as many as on the sample are of use, as more rows are harder to learn by heart


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
