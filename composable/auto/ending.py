"""What is left when the search is over: how the deployed model errs, which columns it uses, the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd

from composable.auto.importance import permutation_importance
from composable.auto.mask_pictures import Segmented, mask_pictures
from composable.auto.masks import head_of_masks
from composable.auto.pictures import HeldOut, pictures
from composable.auto.texts import texts
from composable.auto.trials import Search
from composable.auto.words_left_out import Ask, HeldTexts
from composable.auto.words_weighed import words_weighed
from composable.core.budget import Deadline
from composable.core.workspace import write_json
from composable.data.frames import column_of
from composable.data.images.column import cells_of
from composable.data.parse import raw_texts
from composable.data.table import Table
from composable.data.text_columns import encoded_texts
from composable.design import Input
from composable.design.taps import tap
from composable.engine.predict import predict
from composable.problem.diagnostics import head_diagnostics
from composable.problem.metrics import METRICS, score
from composable.search.opinion import covered
from composable.search.trial import Trial
from composable.training.linear_texts import linear_texts
from composable.training.stages.stage import part_of
from composable.training.storage import load_weights

_SIZES = (64, 256)  # texts that are asked about at once
_SHOWN_SHARE = 0.4  # of the time, for texts; for images, too, where there are other columns


@dataclass(frozen=True, eq=False)
class _Held:
    """The most honest rows there are.

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
    """Write `diagnostics.json` for the deployed trial, if there is one; importance takes the time left."""
    best = search.deployed
    if best is None:
        return
    held = _held_out(search, best)
    heads = []
    for head, y, p in zip(search.judge.problem.heads, held.observed, held.predicted, strict=True):
        shown = y[:, 0] if head.kind not in ("multilabel", "mask") else y
        if head.kind in ("binary", "multiclass"):
            shown = shown.astype(int)
        found = head_diagnostics(head, shown, p)
        heads.append(found | {"metrics": {name: score(name, head, y, p) for name in METRICS[head.kind]}})
    facts: dict[str, Any] = {"trial": best.number, "part": held.part, "rows": len(held.observed[0])}
    facts["heads"] = heads
    folder = search.recorder.folder
    write_json(folder / "diagnostics.json", facts | {"importance": []})
    strongest, _ = max(best.shares, key=lambda share: share[1])
    if search.prepared.encoding.images:
        several = len(search.prepared.encoding.columns) > 1
        until = part_of(deadline, _SHOWN_SHARE) if several else deadline
        shown = _pictures(search, strongest, held, until)
        write_json(folder / "pictures.json", shown)
    if search.prepared.encoding.texts:
        until = part_of(deadline, _SHOWN_SHARE)
        write_json(folder / "texts.json", _texts(search, strongest, held, until))
    if len(search.prepared.encoding.columns) == 1:
        return  # there is nothing to compare it with
    importance = permutation_importance(
        strongest,
        search.bench(strongest),
        search.prepared.encoding,
        search.prepared.split.rotations,
        seed=search.options.seed,
        deadline=deadline,
    )
    write_json(folder / "diagnostics.json", facts | {"importance": importance})


def _pictures(search: Search, trial: Trial, held: _Held, deadline: Deadline) -> dict[str, Any]:
    """What the trial's first network makes of the images of held-out rows."""
    table, inputs, rows = _shown(search, held.rows)
    columns = [cells_of(column_of(table.frame, one.column)) for one in search.prepared.encoding.images]
    names = [", ".join(each) for each in zip(*columns, strict=True)]
    names = names if rows is None else [names[row] for row in rows]
    if (head := head_of_masks(search.judge.problem)) is not None:
        shown = Segmented(inputs["images"], held.observed[0], held.predicted[0], names)
        return mask_pictures(head, shown, augment=trial.network.settings.augment)
    return pictures(
        _first_network(search, trial),
        search.judge.problem.heads[0],
        HeldOut(inputs, held.observed, held.predicted, names),
        lambda: _of_floats(search, trial),
        augment=trial.network.settings.augment,
        deadline=deadline,
    )


def _texts(search: Search, trial: Trial, held: _Held, deadline: Deadline) -> dict[str, Any]:
    """What the trial's first network makes of the texts of held-out rows."""
    prepared = search.prepared
    table, inputs, rows = _shown(search, held.rows)
    read = prepared.encoding.texts
    columns = {column.name: column for column in prepared.understood.schema.columns}
    cells = pd.DataFrame(
        {t.column: raw_texts(column_of(table.frame, t.column)) for t in read}, index=table.frame.index
    )
    shown = HeldTexts(
        inputs,
        held.observed,
        held.predicted,
        cells if rows is None else cells.iloc[rows],
        lambda asked: encoded_texts(asked, columns, read),
    )
    ask, solver, weighed = _first_network(search, trial), trial.network.solver, None
    if solver is not None and solver.component is linear_texts:
        network, finish = search.bench(trial).network, trial.finishes(trial.trained[0])[0]
        weighed = words_weighed(network, solver, prepared.encoding, inputs, finish)
    head, seed = search.judge.problem.heads[0], search.options.seed
    return texts(ask, head, shown, weighed=weighed, seed=seed, deadline=deadline)


def _shown(
    search: Search, rows: np.ndarray | None
) -> tuple[Table, Mapping[str, np.ndarray], np.ndarray | None]:
    """The table in which held-out rows stand, their inputs, and which rows of the table; None for all."""
    prepared = search.prepared
    table, inputs = prepared.own_test, prepared.material.own_test
    if rows is None and table is not None and inputs is not None:
        return table, inputs, None
    rows = np.arange(0) if rows is None else rows
    return prepared.understood.table, prepared.material.at(rows), rows


def _first_network(search: Search, trial: Trial) -> Ask:
    """What the trial's first network answers to inputs; the trial's bench holds its weights."""
    heads, bench, trained = search.judge.problem.heads, search.bench(trial), trial.trained[0]
    bench.network.set_weights(load_weights(trial.folder, trained.rotation))
    return lambda asked: trial.answers(heads, trained, predict(bench.network, asked, sizes=_SIZES))


def _of_floats(search: Search, trial: Trial) -> keras.Model:
    """The trial's first network, made for images of float32, of which gradients can be taken."""
    shapes = search.prepared.material.shapes
    floats = {**shapes, "images": Input(shapes["images"].shape, "float32")}
    network = tap(trial.network.architecture.build(floats), "logits")
    network.set_weights(load_weights(trial.folder, trial.trained[0].rotation))
    return network


def _held_out(search: Search, trial: Trial) -> _Held:
    opinion = trial.opinion
    if opinion.own_test:
        return _Held("test", None, list(search.judge.own_targets), opinion.own_test)
    part, predictions = (
        ("test", opinion.test) if covered(opinion.test).any() else ("validation", opinion.validation)
    )
    rows = np.flatnonzero(covered(predictions))
    return _Held(part, rows, [y[rows] for y in search.judge.targets], [p[rows] for p in predictions])
