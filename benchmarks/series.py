"""Errors of Composable on series, beside MiniRocket with a ridge classifier (aeon) on the same rows.

python benchmarks/series.py --data DIR [--aeon PYTHON] [--budget 60] [--seeds 3]

DIR holds `series/italy_power_demand.csv.gz`, which says itself which rows train and which test. PYTHON is the
interpreter of an environment with the package aeon, whose `MiniRocketClassifier` is run with five seeds;
without it the mean that was once measured stands in. The error is 1 - accuracy. Composable runs through its
command line alone and never sees the test rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions

PEER = Path(__file__).parent / "peers" / "aeon_series.py"
PEER_SEEDS = 5
PEER_ERROR = 0.0346  # on italy_power_demand, the mean of aeon's five seeds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--aeon")
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args()
    print(conditions())
    frame = pd.read_csv(wanted.data / "series" / "italy_power_demand.csv.gz")
    train, test = (frame[frame["split"] == part].drop(columns="split") for part in ("train", "test"))
    peer = theirs(train, test, wanted.aeon) if wanted.aeon else [PEER_ERROR]
    measured = ", ".join(f"{one:.4f}" for one in peer) if wanted.aeon else "measured earlier"
    print(f"aeon MiniRocketClassifier: {np.mean(peer):.4f} ({measured})", flush=True)
    errors = []
    for seed in range(wanted.seeds):
        error, took = ours(train, test, wanted.budget, seed)
        errors.append(error)
        print(f"seed {seed}: {error:.4f} in {took:.1f} s, ratio {error / np.mean(peer):.3f}", flush=True)
    spread = np.std(errors, ddof=1) if len(errors) > 1 else float("nan")
    ratio = np.mean(errors) / np.mean(peer)
    print(f"{wanted.budget} s: {np.mean(errors):.4f}, spread {spread:.4f}, ratio {ratio:.3f}")


def ours(train: pd.DataFrame, test: pd.DataFrame, budget: int, seed: int) -> tuple[float, float]:
    """Our error on the test rows, and how long the fit took."""
    command = [sys.executable, "-m", "composable"]
    with tempfile.TemporaryDirectory() as folder:
        train.to_csv(f"{folder}/train.csv", index=False)
        test.drop(columns="label").to_csv(f"{folder}/test.csv", index=False)
        question = ["--target", "label", "--metric", "accuracy", "--seed", str(seed)]
        began = time.monotonic()
        limit = ["--time-limit", str(budget), "--out", f"{folder}/run"]
        _run([*command, "fit", f"{folder}/train.csv", *question, *limit])
        took = time.monotonic() - began
        _run([*command, "predict", f"{folder}/run", f"{folder}/test.csv", "--out", f"{folder}/out.csv"])
        predicted = pd.read_csv(f"{folder}/out.csv")["prediction"].to_numpy()
    return float(np.mean(predicted != test["label"].to_numpy())), took


def theirs(train: pd.DataFrame, test: pd.DataFrame, python: str) -> list[float]:
    """The errors of aeon's MiniRocket, one per seed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in (("train", train), ("test", test)):
            x = frame.drop(columns="label").to_numpy("float32")
            np.savez(f"{folder}/{name}.npz", x=x, y=frame["label"].to_numpy())
        paths = [f"{folder}/{name}.npz" for name in ("train", "test")]
        return json.loads(_run([python, str(PEER), *paths, str(PEER_SEEDS)]))


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
