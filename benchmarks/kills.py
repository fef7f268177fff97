"""Does a run survive being killed? SIGKILL at random moments, then the same command again, until it is done.

`python benchmarks/kills.py --kills 50` kills a small fit that often, in as many runs as that takes: every
other time after a random while, else right after a random number of files came to be, which is where a run
could be torn. After each kill it checks that what had finished is still there, byte for byte, and that
numbers are contiguous; after each run, that candidates, scores and predictions are those of a run that nobody
stopped, and that the study holds each candidate once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
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
FILES = 60  # at most, after which a session is killed: it writes about twice as many
LOOK = 0.003  # seconds between two looks at the files


def command(data: Path, out: Path, workers: int) -> list[str]:
    """The fit that is killed."""
    options = [*OPTIONS, "--workers", str(workers), "--out", str(out)]
    return [sys.executable, "-m", "composable", "fit", str(data), *options]


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


def _check_study(run: Path) -> None:
    """Refuse a study that lacks a candidate, or holds one twice."""
    connection = sqlite3.connect(run / "study.db")
    query = "SELECT value_json FROM trial_user_attributes WHERE key = 'trial' ORDER BY 1"
    told = sorted(int(number) for (number,) in connection.execute(query))
    connection.close()
    trials = [json.loads(path.read_text(encoding="utf-8")) for path in run.glob("trials/*/trial.json")]
    if told != (tried := sorted(one["number"] for one in trials if one["role"] == "network")):
        raise SystemExit(f"{run}: the study holds the trials {told}, the run {tried}")


def is_killed(child: subprocess.Popen[bytes], run: Path, random: np.random.Generator, usual: float) -> bool:
    """Kill a fit at a random moment, or let it come to its end where that is sooner; whether it was killed.

    Args:
        child: The fit.
        run: Its folder.
        random: Draws the moment.
        usual: Seconds that a fit takes.
    """
    by_files, began = bool(random.integers(2)), time.monotonic()
    seconds, files = random.uniform(0.2, 1.0) * usual, int(random.integers(1, FILES))
    before = set(run.rglob("*")) if by_files else set()
    while child.poll() is None:
        is_time = time.monotonic() - began > seconds
        if len(set(run.rglob("*")) - before) >= files if by_files else is_time:
            child.kill()
            return child.wait() != 0
        time.sleep(LOOK if by_files else 0.05)
    return False


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
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    random, kills, runs = np.random.default_rng(arguments.seed), 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = folder / "data.csv"
        make_data(data)
        for name in ("cold", "clean"):  # the second one finds everything compiled
            began, clean = time.monotonic(), folder / name
            subprocess.run(command(data, clean, arguments.workers), check=True, capture_output=True)
            usual = time.monotonic() - began
        expected = leaderboard(clean), predictions(clean, data)
        while kills < arguments.kills:
            run, ended = folder / f"run-{runs}", False
            while not ended:
                before = finished(run)
                child = subprocess.Popen(
                    command(data, run, arguments.workers),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=os.environ,
                )
                if kills < arguments.kills and is_killed(child, run, random, usual):
                    kills += 1
                elif child.wait():
                    raise SystemExit(f"{run}: the same command ended with {child.returncode}")
                else:
                    ended = True
                check_run(run, before)
            _check_outcome(run, (leaderboard(run), predictions(run, data)), expected)
            _check_study(run)
            runs += 1
            print(f"{kills} kills, {runs} runs", flush=True)
    print(conditions())
    print(f"{kills} kills in {runs} runs of {usual:.0f} s: nothing lost, all as if never stopped.")


if __name__ == "__main__":
    main()
