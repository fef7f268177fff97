"""Run folders as `docs/run-folder.md` describes them, made without training anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from composable.auto.diagnostics import head_diagnostics
from composable.problem.problem import Head

NASTY = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "javascript:alert(3)",
    '" onmouseover="alert(4)',
    "' style='background:url(//example.com)",
    "\u202etxt.exe \u05d0\u05d1\u05d2",
    "']]><!-- </title></svg> --> {{ 7 * 7 }} {% raw %}",
    "'DejaVu Sans' id=\"mark\" url(#a) $\\frac{1}{0}$ &amp;",
    "\u65e5\u672c\u8a9e \U0001f600\ud800\x00\x1b[31m\n\tend",
    "x" * 10_000,
)
FolderMaker = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> FolderMaker:
    """Write a run folder for some heads and return its path."""

    def make(heads: tuple[Head, ...], *, metric: str = "rmse", folder: str = "cars", **changes: Any) -> Path:
        return write_run(tmp_path / folder, heads, metric, changes)

    return make


def write_run(path: Path, heads: tuple[Head, ...], metric: str, changes: dict[str, Any]) -> Path:
    rows = changes.get("rows", 240)
    for name, content in {
        "run.json": run_json(heads, metric, rows) | changes.get("run", {}),
        "profile.json": profile_json(rows, changes.get("names")),
        "diagnostics.json": diagnostics_json(heads, rows, changes.get("names")),
        **{f"trials/{number}/trial.json": trial for number, trial in enumerate(trials_json(heads, metric))},
    }.items():
        write(path / name, content)
    return path


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def run_json(heads: tuple[Head, ...], metric: str, rows: int) -> dict[str, Any]:
    described = [
        {"name": h.name, "kind": h.kind, "targets": list(h.targets), "labels": list(h.labels)} for h in heads
    ]
    remedy = "--delimiter ';'"
    return {
        "format": "composable.run/1",
        "status": "complete",
        "created": "2026-11-22T14:00:00Z",
        "seconds": 58.2,
        "data": {
            "origin": "data/cars.csv",
            "fingerprint": "sha256:" + "0f" * 32,
            "rows": rows * 10,
            "columns": 9,
            "test_origin": None,
        },
        "options": {"target": [t for h in heads for t in h.targets], "time_limit": 60, "seed": 7},
        "problem": {
            "heads": described,
            "metric": metric,
            "notices": [
                {
                    "text": "Price has many different numbers, so this is a regression.",
                    "level": "note",
                    "column": "price",
                    "remedy": "--problem multiclass",
                }
            ],
        },
        "split": {
            "kind": "folds",
            "rows": {"train": rows * 8, "validation": rows, "test": rows},
            "folds": 4,
            "text": "4 folds: every row validates once, and a tenth is kept for the test.",
        },
        "notices": [
            {"text": "Columns are separated by a comma.", "level": "note", "column": "", "remedy": remedy},
            {
                "text": "3 of 2,400 rows are there more than once.",
                "level": "warning",
                "column": "",
                "remedy": "",
            },
            {
                "text": "41 cells hold “?”, read as missing.",
                "level": "warning",
                "column": "normalized_losses",
                "remedy": "edit the schema",
            },
        ],
        "versions": {"composable": "0.1.0", "python": "3.11.7", "keras": "3.15.1", "backend": "jax 0.10.2"},
        "machine": {"processor": "AMD EPYC", "cores": 2, "memory_gb": 24},
        "deployed": 3,
    }


def trials_json(heads: tuple[Head, ...], metric: str) -> list[dict[str, Any]]:
    lower = metric in ("rmse", "mae", "log_loss")
    table = [  # name, role, validation, test, spread, parameters
        ("constant_predictor", "reference", 7900.0 if lower else 0.5, 7700.0 if lower else 0.5, 0.0, 0),
        (
            "HistGradientBoosting",
            "baseline",
            2350.0 if lower else 0.91,
            2480.0 if lower else 0.905,
            190.0 if lower else 0.012,
            0,
        ),
        (
            "linear",
            "network",
            3900.0 if lower else 0.84,
            3700.0 if lower else 0.83,
            210.0 if lower else 0.02,
            241,
        ),
        (
            "tabm_mini",
            "network",
            2100.0 if lower else 0.93,
            2200.0 if lower else 0.925,
            150.0 if lower else 0.009,
            43412,
        ),
        (
            "mlp",
            "network",
            2500.0 if lower else 0.9,
            2600.0 if lower else 0.89,
            280.0 if lower else 0.014,
            21313,
        ),
    ]
    if metric == "log_loss":
        table = [(n, r, v / 3000, t / 3000, s / 3000, p) for n, r, v, t, s, p in table]
    trials = [
        {
            "number": number,
            "name": name,
            "role": role,
            "status": "done",
            "reason": "",
            "metric": metric,
            "higher_is_better": not lower,
            "validation": {metric: validation, "accuracy": 0.9}
            | {f"{h.name}/{metric}": validation for h in heads[1:]},
            "test": {metric: test, "accuracy": 0.88},
            "validation_spread": spread,
            "seconds": 12.1 + number,
            "parameters": parameters,
            "bytes": parameters * 4 + 2000,
            "latency_ms": 0.41,
            "architecture": architecture_json(len(heads)) if role == "network" else {},
            "settings": {"learning_rate": 0.002, "batch_size": 64},
            "histories": [history_json(fold, lower) for fold in range(4)] if role == "network" else [],
            "calibration": {"price": {"temperature": 1.21, "log_loss_before": 0.31, "log_loss_after": 0.29}},
        }
        for number, (name, role, validation, test, spread, parameters) in enumerate(table)
    ]
    failed = trials[4] | {
        "number": 5,
        "name": "wide",
        "status": "failed",
        "reason": "the loss became infinite",
        "validation": {},
        "test": {},
    }
    return [*trials, failed]


def architecture_json(heads: int) -> dict[str, Any]:
    block = {"component": "tabm.shared_block", "units": 256, "dropout": 0.1}
    return {
        "format": "composable.architecture/2",
        "prestem": {"component": "prepare", "categories": [22, 4, 5, 3, 9, 11, 12], "bins": 48},
        "stem": {"component": "piecewise_linear", "width": 8},
        "learner": [{"component": "tabm.members", "count": 16}, block, block],
        "tasks": [
            {"name": f"head_{head}", "reads": "encoding", "part": {"component": "tasks.regressor"}}
            for head in range(heads)
        ],
    }


def history_json(fold: int, lower: bool) -> dict[str, Any]:
    epochs = np.arange(40)
    loss = np.exp(-epochs / 9) + 0.08 + 0.01 * np.sin(epochs + fold)
    score = 2100 + 5000 * loss if lower else 0.95 - 0.4 * loss
    return {
        "fold": fold,
        "best_epoch": 31 + fold,
        "epochs": [
            {"epoch": int(e), "loss": float(a), "held_out": float(b), "seconds": 0.1}
            for e, a, b in zip(epochs, loss, score, strict=True)
        ],
    }


def profile_json(rows: int, names: tuple[str, ...] | None) -> dict[str, Any]:
    random = np.random.default_rng(3)
    total = rows * 10

    def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
        empty = {
            "minimum": None,
            "maximum": None,
            "mean": None,
            "median": None,
            "histogram": None,
            "warnings": [],
        }
        plain = {
            "name": name,
            "kind": kind,
            "role": "feature",
            "reason": f"values look like a {kind}",
            "missing": 0,
            "distinct": 22,
            "examples": ["a", "b"],
            "top": [],
        }
        return empty | plain | more

    def histogram(values: np.ndarray) -> dict[str, Any]:
        counts, edges = np.histogram(values, 24)
        return {
            "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
            "minimum": float(values.min()),
            "maximum": float(values.max()),
            "mean": float(values.mean()),
            "median": float(np.median(values)),
        }

    columns = [
        column(
            "make",
            "category",
            top=[
                ["toyota", total * 0.16],
                ["nissan", total * 0.09],
                ["mazda", total * 0.08],
                ["audi", total * 0.03],
            ],
        ),
        column("engine_size", "number", distinct=44, **histogram(random.gamma(3, 40, total))),
        column(
            "normalized_losses",
            "number",
            missing=round(total * 0.2),
            distinct=51,
            warnings=["41 cells hold “?”, read as missing."],
            **histogram(random.normal(120, 35, total)),
        ),
        column("fuel_type", "boolean", distinct=2, top=[["gas", total * 0.9], ["diesel", total * 0.1]]),
        column("sold", "date", distinct=800, **(histogram(random.uniform(8000, 9000, total)))),
        column(
            "remarks",
            "text",
            distinct=1800,
            top=[["well kept", 4]],
            examples=["well kept, one owner", "needs work"],
        ),
        column("chassis", "identifier", role="drop", distinct=total, reason="every value is different"),
        column(
            "country",
            "constant",
            role="drop",
            distinct=1,
            top=[["jp", total]],
            reason="always the same value",
        ),
        column(
            "price",
            "number",
            role="target",
            distinct=1800,
            reason="what to predict",
            **histogram(random.lognormal(9.3, 0.5, total)),
        ),
    ]
    columns += [
        column(name, "category", top=[[name, 3]], examples=[name], reason=name, warnings=[name])
        for name in names or ()
    ]
    return {"rows": total, "duplicates": 3, "memory_mb": 0.4, "columns": columns}


def diagnostics_json(heads: tuple[Head, ...], rows: int, names: tuple[str, ...] | None) -> dict[str, Any]:
    columns = [
        ("engine_size", 820.0),
        ("make", 410.0),
        ("sold", 120.0),
        ("normalized_losses", 35.0),
        ("remarks", 4.0),
        ("fuel_type", -2.0),
    ]
    columns += [(name, 1.0) for name in names or ()]
    return {
        "trial": 3,
        "part": "test",
        "rows": rows,
        "heads": [
            head_diagnostics(head, *answers(head, rows))
            | {"metrics": {"rmse": 2200.0, "mae": 1710.0, "r2": 0.93}}
            for head in heads
        ],
        "importance": [{"column": name, "mean": mean, "spread": abs(mean) / 9} for name, mean in columns],
    }


def answers(head: Head, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Targets and a fairly good model's predictions."""
    random = np.random.default_rng(len(head.name))
    if head.kind == "regression":
        observed = random.lognormal(9.3, 0.5, rows)
        return observed, (observed + random.normal(0, 2200, rows))[:, None]
    if head.kind == "multilabel":
        chances = random.beta(0.5, 1.2, (rows, head.width))
        return (random.random((rows, head.width)) < chances).astype(int), chances
    if head.kind == "binary":
        chances = random.beta(0.4, 0.7, rows)
        return (random.random(rows) < chances).astype(int), chances[:, None]
    scores = random.normal(0, 1, (rows, head.width))
    codes = random.integers(0, head.width, rows)
    scores[np.arange(rows), codes] += 4
    weights = np.exp(scores)
    return codes, weights / weights.sum(axis=1, keepdims=True)


@pytest.fixture
def regression() -> tuple[Head, ...]:
    return (Head("price", "regression", ("price",)),)


@pytest.fixture
def nasty_names() -> tuple[str, ...]:
    return NASTY
