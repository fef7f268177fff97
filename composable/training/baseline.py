"""What networks have to beat: models of another kind that learn from the same rows; none is deployed."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from composable.engine.history import History
from composable.training.candidate import Baseline, Material, Trained
from composable.training.dataset import Dataset
from composable.training.fold_rows import FoldRows
from composable.training.job import Fitted, Job
from composable.training.storage import load_trained, save_trained


@dataclass(frozen=True, eq=False)
class BaselineProblem:
    """What a baseline learns from and predicts.

    Attributes:
        material: The rows; targets as `encode_targets` gives them.
        train: The numbers of those to learn from.
        query: The inputs of those to be predicted.
        seed: For everything random.
    """

    material: Material
    train: np.ndarray
    query: Mapping[str, np.ndarray]
    seed: int

    @property
    def query_rows(self) -> int:
        """How many rows are to be predicted."""
        return len(next(iter(self.query.values())))


def fit_baseline(job: Job, baseline: Baseline, dataset: Dataset) -> Fitted:
    """What a baseline predicts on the folds of a job; nothing where it would take more than the job's time.

    Folds that an earlier session of the same run has predicted are taken as they are.
    """
    began = time.monotonic()
    networks = load_trained(job.folder, baseline)[: len(job.folds)]
    missing = job.folds[len(networks) :]
    if missing and (skipped := _no_time_for(baseline, job, dataset, len(missing))):
        return Fitted(job, skipped=skipped, seconds=time.monotonic() - began)
    for number in missing:
        networks.append(_fitted(baseline, number, job, dataset))
        save_trained(job.folder, networks[-1], baseline)
    return Fitted(job, tuple(networks), seconds=time.monotonic() - began)


def _problem(number: int, job: Job, dataset: Dataset) -> BaselineProblem:
    """What a baseline learns from and predicts on a fold: the query rows are those of the fold's networks."""
    fold, material = dataset.folds[number], dataset.material
    return BaselineProblem(material, fold.train, FoldRows(material).query_inputs(fold), job.seed)


def _no_time_for(baseline: Baseline, job: Job, dataset: Dataset, folds: int) -> str:
    """Why there isn't, or ""."""
    if math.isinf(job.seconds):
        return ""
    if job.seconds <= 0:
        return "no time was left for it"
    needed = folds * baseline.seconds(_problem(job.folds[0], job, dataset))
    return f"it takes about {needed:.1f} s, too much of the time" if needed > job.seconds else ""


def _fitted(baseline: Baseline, number: int, job: Job, dataset: Dataset) -> Trained:
    """What it predicts on a fold, as a network without weights whose outputs are the answers already."""
    began = time.monotonic()
    answers = baseline.predict(_problem(number, job, dataset))
    held_out, test, own_test = FoldRows(dataset.material).apart(dataset.folds[number], answers)
    return Trained(
        fold=number,
        weights=[],
        postprocessing=(),
        history=History((), 0, "closed_form"),
        seconds=time.monotonic() - began,
        held_out=held_out,
        test=test,
        own_test=own_test,
    )
