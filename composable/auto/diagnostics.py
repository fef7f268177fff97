"""After the search: how the deployed model errs, why it answers as it does, which columns it uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np

from composable.auto.trials import Search
from composable.core.budget import Deadline
from composable.core.workspace import write_json
from composable.engine.predict import predict
from composable.explain.contributions import save_background
from composable.explain.explained_model import ExplainedModel, slots_of
from composable.explain.importance import HeldOutRows, most_rows, permutation_importance
from composable.problem.kinds import kind_of
from composable.problem.metrics import fitting
from composable.problem.problem import Head
from composable.problem.scores import score
from composable.search.predictions import by_unlearned, covered
from composable.search.trial import Trial
from composable.training.stages.stage import part_of
from composable.training.storage import load_weights


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """The rows that least of the deployed model has seen.

    Attributes:
        part: "test" or "validation".
        rows: Of the table; None for those of the user's own test.
        observed: Per head.
        predicted: Per head.
    """

    part: str
    rows: np.ndarray | None
    observed: list[np.ndarray]
    predicted: list[np.ndarray]


def diagnose(search: Search, deadline: Deadline) -> None:
    """Write what is known of the deployed trial's errors, if there is one.

    `diagnostics.json` comes first; then each explanation has an equal part of the time, and the importance of
    the columns what is left.
    """
    best = search.deployed
    if best is None:
        return
    folder, prepared, held_out = search.book.recorder.folder, search.prepared, _held_out(search, best)
    diagnostics = {
        "format": "composable.diagnostics/2",
        "trial": best.number,
        "part": held_out.part,
        "rows": len(held_out.observed[0]),
        "heads": _heads(search, held_out),
        "importance": [],
    }
    write_json(folder / "diagnostics.json", diagnostics)
    save_background(folder, prepared.material, seed=search.options.seed)
    strongest, _ = max(best.shares, key=lambda share: share[1])
    explanations = search.trainings.modality.worst_errors
    several = len(prepared.encoding.columns) > 1  # of one column there is nothing to compare it with
    for done, (name, explain) in enumerate(explanations.items()):
        until = part_of(deadline, 1 / (len(explanations) - done + several))
        write_json(folder / name, explain(_explained(search, strongest, held_out), until))
    if several:
        importance = permutation_importance(
            search.book.scorer.problem,
            slots_of(prepared.encoding),
            _networks_in_turn(search, strongest),
            seed=search.options.seed,
            deadline=deadline,
        )
        write_json(folder / "diagnostics.json", diagnostics | {"importance": importance})


def _heads(search: Search, held_out: _HeldOut) -> list[dict[str, Any]]:
    """How each head errs, with every metric."""
    found = []
    heads = search.book.scorer.problem.heads
    for head, y, p in zip(heads, held_out.observed, held_out.predicted, strict=True):
        metrics = {name: score(name, head, y, p) for name in fitting(head.kind)}
        found.append(head_diagnostics(head, y, p) | {"metrics": metrics})
    return found


def _explained(search: Search, trial: Trial, held_out: _HeldOut) -> ExplainedModel:
    """The trial's first network, with the held-out rows."""
    prepared, trained, network = search.prepared, trial.trained[0], search.trainings.trainer(trial).network
    frame, inputs = prepared.own_test and prepared.own_test.frame, prepared.material.own_test
    if held_out.rows is not None or frame is None or inputs is None:
        rows = np.arange(0) if held_out.rows is None else held_out.rows
        frame, inputs = prepared.understood.table.frame.iloc[rows], prepared.material.at(rows)
    network.set_weights(load_weights(trial.folder, trained.fold))
    return ExplainedModel(
        candidate=trial.network,
        network=network,
        postprocessing=trial.postprocessing(trained),
        problem=search.book.scorer.problem,
        schema=prepared.understood.schema,
        encoding=prepared.encoding,
        frame=frame,
        inputs=inputs,
        observed=held_out.observed,
        predicted=held_out.predicted,
        seed=search.options.seed,
    )


def _networks_in_turn(search: Search, trial: Trial) -> Iterator[HeldOutRows]:
    """The trial's networks over and over, each with the rows that it did not learn from."""
    trainer = search.trainings.trainer(trial)
    for trained in cycle(trial.trained):
        fold = search.prepared.split.folds[trained.fold]
        rows = fold.test if search.prepared.split.named_test else fold.held_out
        rows = rows[: most_rows(trainer.material.inputs)]
        trainer.network.set_weights(load_weights(trial.folder, trained.fold))
        yield HeldOutRows(
            lambda inputs, one=trained: trial.answers(one, predict(trainer.network, inputs)),
            trainer.material.at(rows),
            [y[rows] for y in trainer.material.targets],
        )


def _held_out(search: Search, trial: Trial) -> _HeldOut:
    predictions = trial.final_predictions
    if predictions.own_test:
        return _HeldOut("test", None, list(search.book.scorer.own_targets), predictions.own_test)
    part, found = (
        ("test", predictions.test)
        if search.prepared.split.named_test
        else ("validation", by_unlearned(predictions))
    )
    rows = np.flatnonzero(covered(found))
    return _HeldOut(part, rows, [y[rows] for y in search.book.scorer.targets], [p[rows] for p in found])


def head_diagnostics(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Describe the errors of one head.

    Rows whose target or prediction is missing or not finite are left out. The caller fills `metrics`.

    Args:
        head: The question that was answered.
        observed: Targets as its kind encodes them.
        predicted: What was predicted of the same rows.

    Returns:
        JSON values: `name`, `kind`, `targets`, `metrics`, and what the kind's `diagnose` adds.
    """
    about = {"name": head.name, "kind": head.kind, "targets": list(head.targets), "metrics": {}}
    return about | kind_of(head).diagnose(head, np.asarray(observed), np.asarray(predicted))
