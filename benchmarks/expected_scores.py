"""Is the reported score true? The score that a fit says to expect against the error on rows it never had.

python benchmarks/expected_scores.py --tables DIR [--repetitions 20] [--trials 3]

DIR holds the tables named below. A repetition draws training rows from a table, fits on them within a number
of trials, and scores the deployed model on all other rows, thousands of them. Printed: the reported error
divided by the true one, and whether the true score lies in the 90 % interval that was reported. An error is
the RMSE, the log loss, or 1 - ROC AUC.

A few hundred rows may be easier or harder than the others by a tenth, and any honest score of them shows it.
A forest that learned from thousands of other rows says by how much, so that the mean is also given for draws
as hard as the others (a control variate: its slope is fitted to the repetitions).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

import composable

TABLES = (
    ("adult_train.csv.gz", "income"),
    ("protein_casp.csv.gz", "RMSD"),
    ("letter_recognition.csv.gz", "lettr"),
    ("house8L.csv.gz", "price"),
    ("online_shoppers.csv.gz", "Revenue"),
)
SIZES = (300, 800, 3000)
_FOREST_ROWS = 5000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--trials", type=int, default=3)
    wanted = parser.parse_args()
    print(conditions())
    print(f"{wanted.repetitions} repetitions over {len(TABLES)} tables, {wanted.trials} trials each")
    ratios, held, hardness = [], [], []
    for number in range(wanted.repetitions):
        file, target = TABLES[number % len(TABLES)]
        rows = SIZES[number // len(TABLES) % len(SIZES)]
        train, others = drawn_rows(wanted.tables / file, target, rows, seed=number)
        reported, low, high, true, higher = repetition(
            train, others, target, seed=number, trials=wanted.trials
        )
        hardness.append(hardness_of(train, others, target, seed=number))
        error, truth = (1 - reported, 1 - true) if higher else (reported, true)
        ratios.append(error / truth)
        held.append(low <= true <= high)
        print(
            f"{file:28} {rows:5} rows  reported {reported:9.4g} ({low:.4g} to {high:.4g})  true {true:9.4g}  "
            f"error ratio {ratios[-1]:.3f}  {'in' if held[-1] else 'out'}  hardness {hardness[-1]:.3f}",
            flush=True,
        )
    spread = np.std(ratios, ddof=1)
    print(f"reported / true error: mean {np.mean(ratios):.3f}, spread {spread:.3f}, n {len(ratios)}")
    print(f"standard error of that mean {spread / np.sqrt(len(ratios)):.3f}")
    mean, error = at_usual_hardness(np.array(ratios), np.array(hardness))
    print(f"for draws as hard as the others: mean {mean:.3f}, standard error {error:.3f}")
    print(f"the 90 % interval holds the true score in {np.mean(held):.0%}")


def drawn_rows(path: Path, target: str, rows: int, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to train on, and all others whose class is known from them."""
    table = pd.read_csv(path)
    drawn = np.random.default_rng(seed).permutation(len(table))
    train, others = table.iloc[drawn[:rows]], table.iloc[drawn[rows:]]
    if not is_number(train[target]):
        others = others[others[target].isin(train[target].unique())]
    return train, others


def is_number(target: pd.Series) -> bool:
    """Whether a target is a number rather than a class."""
    return target.dtype.kind in "if"


def repetition(
    train: pd.DataFrame, others: pd.DataFrame, target: str, *, seed: int, trials: int
) -> tuple[float, float, float, float, bool]:
    """Expected score with its interval, the score on all other rows, and whether higher is better."""
    with tempfile.TemporaryDirectory() as folder:
        run = composable.fit(train, target, max_trials=trials, seed=seed, out=Path(folder) / "run")
        board = pd.DataFrame(run.leaderboard())
        best = board[board["deployed"]].iloc[0]
        true = run.evaluate(others)[best["metric"]]
    return best["expected"], best["expected_low"], best["expected_high"], true, best["higher_is_better"]


def hardness_of(train: pd.DataFrame, others: pd.DataFrame, target: str, *, seed: int) -> float:
    """The error on the training rows over that on others, of a forest that learned from neither."""
    learned, unseen = others.iloc[:_FOREST_ROWS], others.iloc[_FOREST_ROWS : 4 * _FOREST_ROWS]
    frame = pd.concat([learned, train, unseen])
    features = frame.drop(columns=target).apply(
        lambda column: column if is_number(column) else pd.factorize(column)[0]
    )
    numbers = is_number(frame[target])
    y = frame[target].to_numpy() if numbers else pd.factorize(frame[target])[0]
    forest = (RandomForestRegressor if numbers else RandomForestClassifier)(
        200, min_samples_leaf=3, n_jobs=-1, random_state=seed
    )
    ends = np.cumsum([len(learned), len(train)])
    parts = list(zip(np.split(features.fillna(-1).to_numpy(), ends), np.split(y, ends), strict=True))
    forest.fit(*parts[0])
    return forest_error(forest, *parts[1]) / forest_error(forest, *parts[2])


def forest_error(
    forest: RandomForestClassifier | RandomForestRegressor, x: np.ndarray, y: np.ndarray
) -> float:
    """The RMSE, the log loss, or 1 - ROC AUC."""
    if isinstance(forest, RandomForestRegressor):
        return float(root_mean_squared_error(y, forest.predict(x)))
    found = np.clip(forest.predict_proba(x), 1e-3, None)
    if found.shape[1] == 2:
        return 1.0 - float(roc_auc_score(y, found[:, 1]))
    return float(log_loss(y, found / found.sum(axis=1, keepdims=True), labels=forest.classes_))


def at_usual_hardness(ratios: np.ndarray, hardness: np.ndarray) -> tuple[float, float]:
    """The mean ratio where the hardness is 1, by a line through the repetitions, and its standard error."""
    away = hardness - 1.0
    design = np.stack([np.ones_like(away), away], axis=1)
    fitted, *_ = np.linalg.lstsq(design, ratios, rcond=None)
    noise = np.sum((ratios - design @ fitted) ** 2) / max(len(ratios) - 2, 1)
    return float(fitted[0]), float(np.sqrt(noise * np.linalg.inv(design.T @ design)[0, 0]))


if __name__ == "__main__":
    main()
