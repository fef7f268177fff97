"""Does a run survive being killed? SIGKILL at random moments, then the same command again, until it is done.

`python benchmarks/kills.py --kills 50` kills a small fit that often, in as many runs as that takes. After
each kill it checks that what had finished is still there, byte for byte, and that numbers are contiguous;
after each run, that candidates, scores and predictions are those of a run that nobody stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions

Rows = list[tuple[int, str, str, object]]  # number, name, status, score
OPTIONS = ("--target", "price", "--max-trials", "6", "--max-epochs", "4")


def command(data: Path, out: Path) -> list[str]:
    """The fit that is killed."""
    return [sys.executable, "-m", "composable", "fit", str(data), *OPTIONS, "--out", str(out)]


def make_data(path: Path) -> None:
    """A small table with a number, a category and noise."""
    random = np.random.default_rng(0)
    size, make = random.normal(size=120), random.choice(["audi", "bmw", "citroen"], 120)
    price = 2 * size + (make == "bmw") + 0.7 * random.normal(size=120)
    pd.DataFrame({"size": size, "make": make, "price": price}).to_csv(path, index=False)


def finished(run: Path) -> dict[int, str]:
    """What of each trial that came to its end must not change: a hash of its networks."""
    found = {}
    for path in run.glob("trials/*/trial.json"):
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["status"] == "done" and facts["role"] == "network":
            digest = hashlib.sha256()
            for network in sorted(path.parent.glob("fold-*.npz")):
                digest.update(network.read_bytes())
            found[int(path.parent.name)] = digest.hexdigest()
    return found


def leaderboard(run: Path) -> Rows:
    """Number, name, status and score of each trial, by number."""
    trials = (json.loads(path.read_text(encoding="utf-8")) for path in run.glob("trials/*/trial.json"))
    rows = [
        (one["number"], one["name"], one["status"], one.get("validation", {}).get(one["metric"]))
        for one in trials
    ]
    return sorted(rows)


def predictions(run: Path, data: Path) -> str:
    """What the deployed model answers, as text."""
    asked = [sys.executable, "-m", "composable", "predict", str(run), str(data)]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def check_run(run: Path, before: dict[int, str]) -> None:
    """Refuse a run that lost, changed or doubled something.

    Raises:
        SystemExit: Saying what.
    """
    after = finished(run)
    if changed := [number for number, digest in before.items() if after.get(number) != digest]:
        raise SystemExit(f"{run}: trials {changed} were lost or trained again")
    numbers = sorted(int(path.name) for path in run.glob("trials/*"))
    if numbers != list(range(len(numbers))):
        raise SystemExit(f"{run}: the numbers {numbers} have gaps")
    identities = [
        json.loads(path.read_text(encoding="utf-8"))["identity"] for path in run.glob("trials/*/trial.json")
    ]
    if len(set(identities)) < len(identities):
        raise SystemExit(f"{run}: a trial is there twice: {identities}")


def _check_outcome(run: Path, found: tuple[Rows, str], expected: tuple[Rows, str]) -> None:
    """Refuse candidates, scores or predictions that aren't those of a run that nobody stopped."""
    if different := [rows for rows in zip(found[0], expected[0], strict=False) if rows[0] != rows[1]]:
        raise SystemExit(f"{run} differs from a run that nobody stopped: {different}")
    if found != expected:
        lines = zip(found[1].splitlines(), expected[1].splitlines(), strict=False)
        first = next((pair for pair in lines if pair[0] != pair[1]), "in length")
        raise SystemExit(f"{run} has the same scores, but predicts something else: {first}")


def main() -> None:
    """Kill, continue, compare, and say how often."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random, kills, runs = np.random.default_rng(arguments.seed), 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = folder / "data.csv"
        make_data(data)
        began = time.monotonic()
        subprocess.run(command(data, folder / "clean"), check=True, capture_output=True)
        usual = time.monotonic() - began
        expected = leaderboard(folder / "clean"), predictions(folder / "clean", data)
        while kills < arguments.kills:
            run, ended = folder / f"run-{runs}", False
            while not ended:
                before = finished(run)
                child = subprocess.Popen(
                    command(data, run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
                )
                try:
                    ended = child.wait(random.uniform(0.2, 1.0) * usual) == 0
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
                    child.wait()
                    kills += 1
                check_run(run, before)
                if kills >= arguments.kills and not ended:
                    ended = (
                        subprocess.run(command(data, run), check=True, capture_output=True).returncode == 0
                    )
            _check_outcome(run, (leaderboard(run), predictions(run, data)), expected)
            runs += 1
    print(conditions())
    print(f"{kills} kills in {runs} runs of {usual:.0f} s: nothing lost, all as if never stopped.")


if __name__ == "__main__":
    main()
