"""Is the reported score true? The score that a fit says to expect against the error on rows it never had.

python benchmarks/expected_scores.py --tables DIR [--repetitions 20] [--trials 3]

DIR holds the tables named below. A repetition draws training rows from a table, fits on them within a number
of trials, and scores the deployed model on all other rows, thousands of them. Printed: the reported error
divided by the true one, and whether the true score lies in the 90 % interval that was reported. An error is
the RMSE, the log loss, or 1 - ROC AUC.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions

import composable

TABLES = (
    ("adult_train.csv.gz", "income"),
    ("protein_casp.csv.gz", "RMSD"),
    ("letter_recognition.csv.gz", "lettr"),
    ("house8L.csv.gz", "price"),
    ("online_shoppers.csv.gz", "Revenue"),
)
SIZES = (300, 800, 3000)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--trials", type=int, default=3)
    wanted = parser.parse_args()
    print(conditions())
    print(f"{wanted.repetitions} repetitions over {len(TABLES)} tables, {wanted.trials} trials each")
    ratios, held = [], []
    for number in range(wanted.repetitions):
        file, target = TABLES[number % len(TABLES)]
        rows = SIZES[number // len(TABLES) % len(SIZES)]
        reported, low, high, true, higher = repetition(
            wanted.tables / file, target, rows, seed=number, trials=wanted.trials
        )
        error, truth = (1 - reported, 1 - true) if higher else (reported, true)
        ratios.append(error / truth)
        held.append(low <= true <= high)
        print(
            f"{file:28} {rows:5} rows  reported {reported:9.4g} ({low:.4g} to {high:.4g})  true {true:9.4g}  "
            f"error ratio {ratios[-1]:.3f}  {'in' if held[-1] else 'out'}",
            flush=True,
        )
    spread = np.std(ratios, ddof=1)
    print(f"reported / true error: mean {np.mean(ratios):.3f}, spread {spread:.3f}, n {len(ratios)}")
    print(f"standard error of that mean {spread / np.sqrt(len(ratios)):.3f}")
    print(f"the 90 % interval holds the true score in {np.mean(held):.0%}")


def repetition(
    path: Path, target: str, rows: int, *, seed: int, trials: int
) -> tuple[float, float, float, float, bool]:
    """Expected score with its interval, the score on all other rows, and whether higher is better."""
    table = pd.read_csv(path)
    drawn = np.random.default_rng(seed).permutation(len(table))
    train, others = table.iloc[drawn[:rows]], table.iloc[drawn[rows:]]
    others = others[others[target].isin(train[target].unique())] if table[target].dtype == object else others
    with tempfile.TemporaryDirectory() as folder:
        run = composable.fit(train, target, max_trials=trials, seed=seed, out=Path(folder) / "run")
        board = pd.DataFrame(run.leaderboard())
        best = board[board["deployed"]].iloc[0]
        true = run.evaluate(others)[best["metric"]]
    return best["expected"], best["expected_low"], best["expected_high"], true, best["higher_is_better"]


if __name__ == "__main__":
    main()
