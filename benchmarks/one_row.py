"""How long one row takes: `bundle.predict(row)` in a running program, and `composable predict` from a shell.

python benchmarks/one_row.py RUN [--repeat 20]   # RUN: a run folder of a table

Prints the median and the slowest of the repetitions, each with the seconds of processor time, which a busy
machine changes less. The row is made of the model's own card.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import composable
from composable.deploy.export import golden_rows

Seconds = tuple[float, float]  # of the clock, and of the processor


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--repeat", type=int, default=20)
    asked = parser.parse_args()
    bundle = composable.load(asked.run)
    rows = pd.DataFrame(golden_rows(bundle.card))
    row = rows.iloc[[0]]
    cells = row.iloc[0].to_dict()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "row.csv"
        row.to_csv(path, index=False)
        command = [sys.executable, "-m", "composable", "predict", str(asked.run), str(path)]
        found = {
            "first": [timed(lambda: bundle.predict(row))],
            "DataFrame, warm": [timed(lambda: bundle.predict(row)) for _ in range(asked.repeat)],
            "mapping, warm": [timed(lambda: bundle.predict(cells)) for _ in range(asked.repeat)],
            "command line": [of_children(command) for _ in range(max(2, asked.repeat // 4))],
        }
    print(f"{'':20} {'median s':>10} {'slowest s':>10} {'processor s':>12}")
    for name, each in found.items():
        clock, processor = zip(*each, strict=True)
        middle = statistics.median
        print(f"{name:20} {middle(clock):10.4f} {max(clock):10.4f} {middle(processor):12.4f}")


def timed(predict: Callable[[], object]) -> Seconds:
    """One call."""
    clock, processor = time.perf_counter(), time.process_time()
    predict()
    return time.perf_counter() - clock, time.process_time() - processor


def of_children(command: list[str]) -> Seconds:
    """One process."""
    clock, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - clock, spent


if __name__ == "__main__":
    main()
