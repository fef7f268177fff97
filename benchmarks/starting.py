"""Seconds to start: `import composable` and `composable --help` beside importing NumPy, medians.

python benchmarks/starting.py [--runs 15]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np
from conditions import conditions

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import composable": ["-c", "import composable"],
    "composable --help": ["-m", "composable", "--help"],
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    print(conditions())
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):  # in turn, so that a busy moment meets all of them
        for name, arguments in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
            times[name].append(time.perf_counter() - began)
    bare = np.median(times["python -c pass"])
    numpy = np.median(times["import numpy"]) - bare
    for name, found in times.items():
        whole = np.median(found)
        beyond = whole - bare
        print(f"{name:20s} {whole:.3f} s, beyond bare Python {beyond:.3f} s = {beyond / numpy:.2f}x NumPy")


if __name__ == "__main__":
    main()
