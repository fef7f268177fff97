"""A process of its own finds the components of a job, wherever they are defined."""

from __future__ import annotations

import subprocess
import sys

from composable.design import Part
from composable.engine.settings import Settings
from composable.problem.kinds import kind_of
from composable.problem.problem import Head
from composable.training.candidate import Candidate, modules_of
from composable.training.job import Job, save_job
from composable.training.kernel_ridge import kernel_ridge
from composable.training.stages.draw import draw
from composable.zoo.mlp import linear

LOADS = """
import importlib, sys
for module in sys.argv[2:]:
    importlib.import_module(module)
from pathlib import Path
from composable.training.job import load_job
print(load_job(Path(sys.argv[1])).identity)
"""


def test_another_process_reads_the_same_job(tmp_path):
    head = Head("y", "regression", ("y",))
    solver = Part(kernel_ridge, rows=20, categories=())
    candidate = Candidate("kernel", linear(tasks=(kind_of(head).task(head),)), Settings(), solver=solver)
    job = Job(candidate, (0,), 0, 1.0, tmp_path, (Part(draw, draws=2),))
    modules = modules_of((candidate, job.stages))
    assert "composable.training.kernel_ridge" in modules
    command = [sys.executable, "-c", LOADS, str(save_job(job)), *modules]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == job.identity
