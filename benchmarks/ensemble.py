"""Which weights of an ensemble, chosen on few rows, predict others best?

python benchmarks/ensemble.py --tables DIR [--seconds 60] [--draws 40]

DIR holds the tables named below. The candidates of one fit predict rows that they never had. Weights are
chosen on some of these and scored on the others, again and again: by one greedy selection, and by bags of
selections as `fit` does. Printed: the error (1 - ROC AUC, or the share of wrong classes) of each choice,
divided by that of the single selection; a mean over draws.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions

import composable
from composable.data.split import Fold, Split
from composable.problem.problem import Problem
from composable.search.ensemble import bagged_weights, greedy_weights
from composable.search.policy import MOST_NETWORKS
from composable.search.scorer import Scorer

TABLES = (
    ("mammography.csv.gz", "calcification", "roc_auc"),
    ("phoneme.csv.gz", "oral", "roc_auc"),
    ("german_credit.csv", "class", "roc_auc"),
    ("pima_diabetes.csv", "outcome", "roc_auc"),
    ("online_shoppers.csv.gz", "Revenue", "roc_auc"),
    ("soybean.csv.gz", "class", "accuracy"),
    ("letter_recognition.csv.gz", "lettr", "accuracy"),
)
SIZES = (100, 300, 1000)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--draws", type=int, default=40)
    wanted = parser.parse_args()
    print(conditions())
    for file, target, metric in TABLES:
        problem, observed, predicted = candidates_of(wanted.tables / file, target, metric, wanted.seconds)
        for size in SIZES:
            if size > 0.6 * len(observed):
                continue
            found = [compared(problem, observed, predicted, size, seed) for seed in range(wanted.draws)]
            single, bags, best, even = np.mean([one for one in found if np.isfinite(one).all()], axis=0)
            print(
                f"{file:26s} {metric:8s} {size:5d} rows  single selection {single:.4f}, "
                f"bags {bags / single:.3f}, best candidate {best / single:.3f}, "
                f"equal weights {even / single:.3f}",
                flush=True,
            )


def candidates_of(
    path: Path, target: str, metric: str, seconds: int
) -> tuple[Problem, np.ndarray, list[np.ndarray]]:
    """The problem, some rows' classes as codes, and what each candidate of a fit on the others predicts."""
    frame = pd.read_csv(path, na_values=["?"], skipinitialspace=True).dropna(subset=[target])
    frame[target] = frame[target].astype(str)
    frame = frame.sample(frac=1.0, random_state=0, ignore_index=True).head(8000)
    asked = frame.iloc[len(frame) // 2 :]
    kind = "binary" if frame[target].nunique() == 2 else "multiclass"
    with tempfile.TemporaryDirectory() as folder:
        run = composable.fit(
            frame.iloc[: len(frame) // 2],
            target,
            problem=kind,
            metric=metric,
            time_limit=seconds,
            out=Path(folder, "run"),
            verbose=0,
        )
        board = run.leaderboard()
        trials = board[(board["role"] == "network") & (board["status"] == "done")]["trial"]
        answers = [run.predict(asked.drop(columns=target), trial=int(number)) for number in trials]
        problem = run.problem
    labels = [str(label) for label in problem.heads[0].labels]
    observed = asked[target].map(labels.index).to_numpy(float)[:, None]
    columns = [f"p_{label}" for label in (labels[1:] if kind == "binary" else labels)]
    return problem, observed, [one[columns].to_numpy() for one in answers]


def compared(
    problem: Problem, observed: np.ndarray, predicted: list[np.ndarray], size: int, seed: int
) -> tuple[float, float, float, float]:
    """Errors on the other rows by a single selection, bags, the best candidate, and equal weights."""
    mixed_up = np.random.default_rng(seed).permutation(len(observed))
    chosen, others = mixed_up[:size], mixed_up[size:]
    split = Split("random", (Fold(others, chosen, others[:0]),), 1, "")
    scorer = Scorer(problem, split, (observed,), tunes=False)
    score, networks = scorer.on_parts([chosen]), [1] * len(predicted)
    there = [[one[chosen]] for one in predicted]
    weights = [
        greedy_weights(score, problem.metric, there, networks=networks, most=MOST_NETWORKS, rounds=25),
        bagged_weights(scorer, [chosen], there, networks=networks, seed=seed),
        np.eye(len(predicted))[int(np.argmax([score(one) for one in there]))],
        np.full(len(predicted), 1 / len(predicted)),
    ]
    here = scorer.on_parts([others])
    a, b, c, d = (1 - here([np.tensordot(one, [p[others] for p in predicted], axes=1)]) for one in weights)
    return a, b, c, d


if __name__ == "__main__":
    main()
