"""A command line to run in this process, and a run that answers without training."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest

from composable.cli.main import run
from composable.data.schema import Column, Notice, Schema
from composable.problem.problem import Head, Problem
from composable.search.failures import Cause, NotDone

ROWS = [
    {
        "rank": 1, "model": "tabm_mini", "role": "network", "status": "done", "metric": "rmse",
        "higher_is_better": False, "validation": 2100.0, "test": 2000.0, "parameters": 43412,
        "bytes": 180_000, "latency_ms": 0.4, "seconds": 12.1, "deployed": True, "reason": "",
    },
    {
        "rank": 2, "model": "hist_gradient_boosting", "role": "baseline", "status": "done", "metric": "rmse",
        "higher_is_better": False, "validation": 2200.0, "test": float("nan"), "parameters": None,
        "bytes": None, "latency_ms": None, "seconds": 1.0, "deployed": False, "reason": "",
    },
    {
        "rank": None, "model": "mlp", "role": "network", "status": "failed", "metric": "rmse",
        "higher_is_better": False, "validation": None, "test": None, "parameters": None, "bytes": None,
        "latency_ms": None, "seconds": 0.1, "deployed": False, "reason": "diverged",
    },
]  # fmt: skip

EVENTS = [
    {"event": "start", "origin": "cars.csv", "target": ["price"]},
    {"event": "read", "rows": 201, "columns": 26},
    {"event": "notice", "text": "price is a number", "level": "note", "column": "", "remedy": "--problem"},
    {"event": "problem", "metric": "rmse", "heads": [{"name": "price", "kind": "regression"}]},
    {"event": "trial_start", "trial": 1, "name": "tabm_mini", "fold": 0, "folds": 8},
    {"event": "epoch", "trial": 1, "fold": 0, "epoch": 3, "loss": 0.5, "held_out": 0.6},
    {"event": "trial_end", "trial": 1, "name": "tabm_mini", "role": "network", "status": "done",
     "score": 2100.0, "seconds": 12.1, "reason": ""},
    {"event": "saved", "trial": 1, "name": "tabm_mini", "score": 2100.0},
    {"event": "report", "path": "runs/cars/report.html"},
    {"event": "end", "status": "complete", "seconds": 13.0},
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys):
    """Run `composable` with arguments in this process."""

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


class FakeRun:
    """Answers like a run."""

    prediction = SimpleNamespace(
        frame=pd.DataFrame({"prediction": ["=1+1", "b"], "p_=1+1": [0.75, 0.25]}),
        notices=(Notice("1 value of make was never seen", "warning", "make"),),
    )
    asked = None

    def __init__(self, path) -> None:
        self.path = Path(path)

    def layout(self, stated):
        return stated

    def answering(self, trial):
        return SimpleNamespace(
            answer=lambda data, **how: self._answered(trial, how),
            answer_parts=lambda data, **how: [self._answered(trial, how)],
        )

    def _answered(self, trial, how):
        FakeRun.asked = {"trial": trial, **how}
        return FakeRun.prediction

    def candidates(self):
        return ROWS

    def evaluate(self, data, **how):
        FakeRun.asked = how
        return {"rmse": 2000.0, "r2": float("nan")}

    def export(self, format, folder):
        return Path(folder) / f"model.{format}"

    def failures(self):
        one = NotDone(2, "mlp", "diverged", 0.1, "runs/cars/trials/2/traceback.txt")
        return (Cause("failed", "diverged", 1, (one,)),)

    def report(self):
        return self.path / "report.html"


@pytest.fixture
def auto(monkeypatch):
    """The layer below, replaced: what it was called with, and what a fit does."""
    seen = SimpleNamespace(run=FakeRun, options=None, events=list(EVENTS), failure=None, inspected=None)

    def fit(data, options, *, out=None, progress=None, started=None):
        seen.options = options
        for event in seen.events:
            progress(event)
        if seen.failure:
            raise seen.failure
        return FakeRun(out or "runs/cars")

    def inspect(data, **choices):
        seen.inspected = choices
        column = {
            "name": "price\x1b[31m", "kind": "number", "role": "target", "reason": "all are numbers",
            "missing": 0, "distinct": 9, "warnings": [],
        }  # fmt: skip
        return SimpleNamespace(
            schema=Schema((Column("price", "number", "target"),)),
            problem=Problem((Head("price", "regression", ("price",)),), "rmse"),
            notices=(Notice("price has whole numbers", remedy="--problem multiclass"),),
            profile={"rows": 201, "columns": [column]},
        )

    _fake(monkeypatch, "fit", fit=fit)
    _fake(monkeypatch, "run", Run=FakeRun)
    _fake(monkeypatch, "inspect", inspect=inspect)
    return seen


def _fake(monkeypatch, name, **contents):
    module = ModuleType(f"composable.auto.{name}")
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, module.__name__, module)
