"""Seconds until the first deployable model is saved, and until everything is over, on generated tables.

python benchmarks/first_model.py [--limits 30 60] [--rows 500 50000] [--cold] [--before CHECKOUT]

`--cold` begins each with an empty cache of compiled programs, as a newcomer does; `--before` measures another
checkout of Composable as well, in turn and in the same environment.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 50_000])
    parser.add_argument("--limits", type=int, nargs="+", default=[30, 60])
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--before", type=Path)
    wanted = parser.parse_args()
    print(conditions())
    checkouts = {"now": Path(__file__).parents[1]}
    if wanted.before:
        checkouts["before"] = wanted.before
    for rows in wanted.rows:
        for limit in wanted.limits:
            for name, checkout in checkouts.items():
                first, whole = measured(rows, limit, checkout.resolve(), cold=wanted.cold)
                print(
                    f"{name:6s} {rows:6d} rows, limit {limit:3d} s: first model {first:5.1f} s, "
                    f"all over {whole:5.1f} s",
                    flush=True,
                )


def measured(rows: int, limit: int, checkout: Path, *, cold: bool) -> tuple[float, float]:
    """Seconds from the start of the command to the first saved model and to its end."""
    with tempfile.TemporaryDirectory() as folder:
        table(rows).to_csv(f"{folder}/table.csv", index=False)
        began, wall = time.monotonic(), time.time()
        command = [sys.executable, "-m", "composable", "fit", f"{folder}/table.csv", "--target", "y"]
        cache = {"XDG_CACHE_HOME": f"{folder}/cache"} if cold else {}
        subprocess.run(
            [*command, "--time-limit", str(limit), "--out", f"{folder}/run"],
            capture_output=True,
            check=True,
            env=os.environ | {"PYTHONPATH": str(checkout)} | cache,
        )
        whole = time.monotonic() - began
        events = [json.loads(line) for line in Path(folder, "run", "events.jsonl").read_text().splitlines()]
    return next(event["time"] for event in events if event["event"] == "saved") - wall, whole


def table(rows: int) -> pd.DataFrame:
    """Ten mixed columns and a target that depends on them."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(rows, 7))
    frame = pd.DataFrame(numbers, columns=[f"n{i}" for i in range(7)])
    frame["color"] = rng.choice(["red", "green", "blue"], rows)
    frame["place"] = rng.choice([f"place {i}" for i in range(40)], rows)
    frame["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000, rows), unit="D")
    frame["y"] = (
        numbers[:, 0] * numbers[:, 1]
        + np.abs(numbers[:, 2])
        + (frame["color"] == "red")
        + rng.normal(size=rows)
    )
    return frame


if __name__ == "__main__":
    main()
