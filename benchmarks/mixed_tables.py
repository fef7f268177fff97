"""Errors of Composable on tables of many kinds of columns, beside AutoGluon's in the same time.

python benchmarks/mixed_tables.py --data DIR --autogluon PYTHON [--budget 60] [--seeds 0 1 2] [--only NAME]

DIR holds the folder `tables` with the files below, PYTHON has AutoGluon with its models for tables (preset
medium_quality). Test rows are those whose number, modulo 5, is the seed. Both are run one after the other
and never see the test rows' targets.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions


@dataclass(frozen=True)
class Set:
    """A table: its file, its target, the columns to leave out and the error, as both programs name it."""

    file: str
    target: str
    drop: tuple[str, ...]
    error: tuple[str, str]


SETS = {
    "tate_artworks": Set("tables/tate_artworks.csv.gz", "year", ("id",), ("mae", "mean_absolute_error")),
    "ames_housing": Set(
        "tables/ames_housing.csv.gz", "price", ("Order", "PID"), ("rmse", "root_mean_squared_error")
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--autogluon", required=True)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="*", default=list(SETS), choices=SETS)
    wanted = parser.parse_args()
    print(conditions())
    print(f"{wanted.budget} s per fit")
    for name in wanted.only:
        ratios = []
        for seed in wanted.seeds:
            own, peer, seconds = compared(wanted.data, SETS[name], seed, wanted.budget, wanted.autogluon)
            ratios.append(own / peer)
            line = f"{own:10.4f} in {seconds[0]:.1f} s, AutoGluon {peer:10.4f} in {seconds[1]:.1f} s"
            print(f"  {name}, seed {seed}: {line}, ratio {own / peer:.3f}", flush=True)
        print(f"{name}: median ratio {np.median(ratios):.3f} over {len(ratios)} seeds")


def compared(
    data: Path, one: Set, seed: int, budget: int, autogluon: str
) -> tuple[float, float, tuple[float, float]]:
    """Our error, the peer's, and how long both took to fit (the peer's includes predicting)."""
    frame = pd.read_csv(data / one.file).drop(columns=list(one.drop))
    held_out = np.arange(len(frame)) % 5 == seed
    observed = frame.loc[held_out, one.target].to_numpy()
    with tempfile.TemporaryDirectory() as folder:
        frame[~held_out].to_csv(f"{folder}/train.csv", index=False)
        frame[held_out].drop(columns=[one.target]).to_csv(f"{folder}/test.csv", index=False)
        command = [sys.executable, "-m", "composable"]
        asked = ["--target", one.target, "--problem", "regression", "--metric", one.error[0]]
        limit = ["--time-limit", str(budget), "--seed", str(seed), "--out", f"{folder}/run"]
        own_seconds = _run([*command, "fit", f"{folder}/train.csv", *asked, *limit])
        _run([*command, "predict", f"{folder}/run", f"{folder}/test.csv", "--out", f"{folder}/own.csv"])
        program = Path(__file__).parent / "peers" / "autogluon_table.py"
        seconds = _run([autogluon, str(program), folder, one.target, one.error[1], str(budget)])
        own, peer = (pd.read_csv(f"{folder}/{name}.csv")["prediction"].to_numpy() for name in ("own", "peer"))
    return _error(one, observed, own), _error(one, observed, peer), (own_seconds, seconds)


def _error(one: Set, observed: np.ndarray, predicted: np.ndarray) -> float:
    if one.error[0] == "mae":
        return float(np.abs(observed - predicted).mean())
    return float(np.sqrt(np.mean((observed - predicted) ** 2)))


def _run(command: list[str]) -> float:
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
