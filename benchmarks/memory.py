"""The largest resident memory of a fit's process tree, beside the size of the data in memory (Linux).

python benchmarks/memory.py [--rows 1000 50000 300000] [--limit 40]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conditions import conditions
from first_model import table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 50_000, 300_000])
    parser.add_argument("--limit", type=int, default=40)
    wanted = parser.parse_args()
    print(conditions())
    for rows in wanted.rows:
        frame = table(rows)
        size = frame.memory_usage(deep=True).sum() / 1e6
        with tempfile.TemporaryDirectory() as folder:
            frame.to_csv(f"{folder}/table.csv", index=False)
            command = [sys.executable, "-m", "composable", "fit", f"{folder}/table.csv", "--target", "y"]
            limit = ["--time-limit", str(wanted.limit), "--out", f"{folder}/run"]
            peak = watched(
                subprocess.Popen([*command, *limit], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
        print(
            f"{rows:7d} rows, {size:6.0f} MB: peak {peak:6.0f} MB; allowed {1000 + 2 * size:6.0f} MB",
            flush=True,
        )


def watched(process: subprocess.Popen[bytes]) -> float:
    """The largest sum of resident memory over a process and its children, in MB, sampled every 50 ms."""
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(resident(pid) for pid in family(process.pid)))
        time.sleep(0.05)
    return peak


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(int(child)))]


def resident(pid: int) -> float:
    """Resident memory of a process in MB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmRSS")), 0.0)


if __name__ == "__main__":
    main()
