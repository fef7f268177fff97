"""How much memory does a fit of a file take of which a sample is held, and does learning from all of it pay?

python benchmarks/large_table.py [--megabytes 2000] [--seconds 600] [--sample-rows 100000]

A CSV of so many megabytes is written; a fit of it and a fit of its first rows alone, which shows what the
program itself takes, run in processes of their own. Memory is the largest resident memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions

AT_ONCE, SHOPS, NUMBERS = 100_000, 3000, 6
_KILO = 1024  # bytes of the unit in which Linux tells resident memory


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--sample-rows", type=int, default=100_000)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(_fitted(Path(given.alone), given.seconds, given.sample_rows)))
        return
    print(conditions())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shops.csv")
        rows = _write(path, given.megabytes * 10**6)
        few = Path(folder, "few.csv")
        pd.read_csv(path, nrows=given.sample_rows).to_csv(few, index=False)
        for name, file in (("a file of the sample's size", few), ("the whole file", path)):
            found = _of(file, given)
            size = file.stat().st_size / 1e6
            took = f"{found['mib']:.0f} MiB, {found['seconds']:.0f} s"
            print(f"{name}: {size:.0f} MB, {found['rows']:,} rows, {took}")
            print(f"  expected rmse {found['expected']:.4f}; {found['notice']}", flush=True)
        print(f"{rows:,} rows were written")


def _write(path: Path, size: int) -> int:
    random, rows = np.random.default_rng(0), 0
    effects, slopes = random.normal(size=SHOPS), random.normal(size=NUMBERS)
    while not rows or path.stat().st_size < size:
        numbers = random.normal(size=(AT_ONCE, NUMBERS))
        shop = random.integers(0, SHOPS, AT_ONCE)
        price = effects[shop] * np.sin(numbers[:, 0]) + numbers @ slopes + 0.1 * random.normal(size=AT_ONCE)
        columns = {f"x{number}": numbers[:, number].round(5) for number in range(NUMBERS)}
        part = pd.DataFrame({**columns, "shop": [f"s{one}" for one in shop], "price": price.round(5)})
        part.to_csv(path, mode="a", header=not rows, index=False)
        rows += AT_ONCE
    return rows


def _of(path: Path, given: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--alone", str(path), "--seconds", str(given.seconds)]
    command += ["--sample-rows", str(given.sample_rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _fitted(path: Path, seconds: float, sample_rows: int) -> dict[str, object]:
    import composable

    began = time.monotonic()
    out = path.with_suffix(".run")
    run = composable.fit(
        path, target="price", time_limit=seconds, sample_rows=sample_rows, out=out, verbose=0
    )
    notices = [notice.text for notice in run.notices if "whole file" in notice.text]
    return {
        "rows": json.loads((out / "events.jsonl").read_text().splitlines()[1])["rows"],
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILO / 2**20,
        "seconds": time.monotonic() - began,
        "expected": run.facts["expected"]["value"],
        "notice": notices[-1] if notices else "",
    }


if __name__ == "__main__":
    main()
