"""How much memory does a cohort take, beside the variables of its networks?

python benchmarks/memory.py [--instances 8 32] [--units 512]

Each cohort is trained in a process of its own. What it takes is the largest resident memory, less that of a
cohort of one; the variables are weights and the optimizer's slots, in bytes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys

from conditions import conditions

ROWS, BATCH = 4096, 32
_KILO = 1024  # bytes of the unit in which Linux tells resident memory


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--instances", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--units", type=int, default=512)
    parser.add_argument("--alone", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(_trained(given.alone, given.units)))
        return
    print(conditions())
    print(f"13-{given.units}-{given.units}-{given.units}-1, Adam, batch {BATCH}, two epochs of {ROWS} rows")
    base, variables = _of(1, given.units)
    for count in given.instances:
        most, _ = _of(count, given.units)
        times = (most - base) / (count - 1) / variables
        print(
            f"{count:3d} networks: {most / 2**20:6.0f} MiB; each takes {times:.2f} of its variables",
            flush=True,
        )


def _of(count: int, units: int) -> tuple[int, int]:
    command = [sys.executable, __file__, "--alone", str(count), "--units", str(units)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    most, variables = json.loads(done.stdout.splitlines()[-1])
    return most, variables


def _trained(count: int, units: int) -> tuple[int, int]:
    """The largest resident memory, and the bytes of one network's variables."""
    from composable.core.backend import choose_backend

    choose_backend()
    import keras
    import numpy as np

    from composable.core.budget import Deadline
    from composable.engine.cohort import Cohort, Instance
    from composable.engine.objective import Goal, squared_error
    from composable.engine.rows import Rows
    from composable.engine.settings import Settings
    from composable.engine.train import train

    rng = np.random.default_rng(0)
    inputs = keras.Input((13,), name="numbers")
    x = inputs
    for _ in range(3):
        x = keras.layers.Dense(units, activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    rows = Rows(
        {"numbers": rng.normal(size=(ROWS, 13)).astype("float32")},
        (rng.normal(size=(ROWS, 1)).astype("float32"),),
    )
    settings = Settings(batch_size=BATCH, epochs=2)
    order = rng.permutation(ROWS)
    instances = tuple(Instance(order[64:], order[:64], seed, settings) for seed in range(count))
    cohort = Cohort(model, (Goal(squared_error, squared_error),), rows, instances)
    train(cohort, deadline=Deadline())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILO
    variables = sum(v.nbytes for v in model.get_weights()) + sum(v[0].nbytes for v in cohort.program.slots())
    return most, variables


if __name__ == "__main__":
    main()
