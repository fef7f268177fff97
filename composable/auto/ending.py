"""What is left when the search is over: how the deployed model errs, which columns it uses, the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from composable.auto.importance import permutation_importance
from composable.auto.trials import Search
from composable.core.budget import Deadline
from composable.core.workspace import write_json
from composable.problem.diagnostics import head_diagnostics
from composable.problem.metrics import METRICS, score
from composable.search.opinion import covered
from composable.search.trial import Trial


def diagnose(search: Search, deadline: Deadline) -> None:
    """Write `diagnostics.json` for the deployed trial, if there is one; importance takes the time left."""
    best = search.deployed
    if best is None:
        return
    part, observed, predicted = _held_out(search, best)
    heads = []
    for head, y, p in zip(search.judge.problem.heads, observed, predicted, strict=True):
        shown = y[:, 0] if head.kind != "multilabel" else y
        if head.kind in ("binary", "multiclass"):
            shown = shown.astype(int)
        found = head_diagnostics(head, shown, p)
        heads.append(found | {"metrics": {name: score(name, head, y, p) for name in METRICS[head.kind]}})
    facts: dict[str, Any] = {"trial": best.number, "part": part, "rows": len(observed[0]), "heads": heads}
    folder = search.recorder.folder
    write_json(folder / "diagnostics.json", facts | {"importance": []})
    strongest, _ = max(best.shares, key=lambda share: share[1])
    importance = permutation_importance(
        strongest,
        search.bench(strongest),
        search.prepared.encoding,
        search.prepared.split.rotations,
        seed=search.options.seed,
        deadline=deadline,
    )
    write_json(folder / "diagnostics.json", facts | {"importance": importance})


def _held_out(search: Search, trial: Trial) -> tuple[str, list[np.ndarray], list[np.ndarray]]:
    """Observed and predicted values of the most honest rows there are."""
    opinion = trial.opinion
    if opinion.own_test:
        return "test", list(search.judge.own_targets), opinion.own_test
    part, predictions = (
        ("test", opinion.test) if covered(opinion.test).any() else ("validation", opinion.validation)
    )
    rows = np.flatnonzero(covered(predictions))
    return part, [y[rows] for y in search.judge.targets], [p[rows] for p in predictions]
