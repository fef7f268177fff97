"""The job of one candidate on one fold of a table's rows."""

from __future__ import annotations

from composable.core.seeds import derive
from composable.data.split import Fold
from composable.engine.rows import Rows
from composable.problem.kinds import kind_of
from composable.training.beginning import beginner
from composable.training.candidate import Material
from composable.training.folds import FoldTrainer
from composable.training.stages.stage import Job


def fold_job(trainer: FoldTrainer, fold: Fold, *, seed: int) -> Job:
    """What `FoldTrainer.train` trains on one fold, for stages.

    Args:
        trainer: The candidate and the encoded rows.
        fold: Its training and validation rows; its test rows are never looked at.
        seed: For everything random.
    """
    material, candidate = trainer.material, trainer.candidate
    begin_with, rows = beginner(trainer.build, material.categories), material.at(fold.train)

    return Job(
        name=candidate.name,
        build=trainer.build,
        begin=lambda model, seed: begin_with(model, rows, seed, None),
        goals=tuple(kind_of(head).goal(material.problem.metric) for head in material.problem.heads),
        rows=_rows(material, fold),
        train=fold.train,
        held_out=fold.held_out,
        settings=candidate.settings,
        seed=derive(seed, candidate.name),
    )


def _rows(material: Material, fold: Fold) -> Rows:
    """With targets scaled as the training rows have them."""
    targets = tuple(
        kind_of(head).training_targets(kind_of(head).fit_postprocessing(y[fold.train]), y)
        for head, y in zip(material.problem.heads, material.targets, strict=True)
    )
    return Rows(material.inputs, targets, material.weights)
