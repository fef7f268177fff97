"""Errors of Composable on texts, beside scikit-learn's TF-IDF with a linear model on the same rows.

python benchmarks/texts.py --data DIR [--budget 60] [--seeds 0] [--only NAME ...]

DIR holds the folders `text` and `tables` with the files below. Test rows are those whose number, modulo 5, is
the seed; with seed 0 files that come with test rows of their own keep those. The error is 1 - accuracy, for
the spam 1 - F1 of the spam, and for the table with columns of text the mean absolute error. The peer is
TF-IDF of words and pairs of words with logistic regression (ridge regression for the table, one TF-IDF per
column), its regularization found by 5-fold cross-validation; it has as much time as it wants. Composable runs
through its command line alone and never sees the test rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from conditions import conditions
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True)
class Set:
    """A data set: its file, what is asked, and the test rows (`rows`, or a file of their own)."""

    file: str
    target: str = "label"
    drop: tuple[str, ...] = ()
    positive: str = ""
    rows: tuple[int, int] | None = None
    test: str = ""


SETS = {
    "banking77": Set("text/banking77_train.csv.gz", test="text/banking77_test.csv.gz"),
    "ag_news": Set("text/ag_news_7600.csv.gz"),
    "sms_spam": Set("text/sms_spam.csv.gz", positive="spam"),
    "movie_reviews": Set("text/movie_review_polarity.csv.gz", rows=(1800, 2000)),
    "tate_artworks": Set("tables/tate_artworks.csv.gz", target="year", drop=("id",)),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="*", default=list(SETS), choices=SETS)
    wanted = parser.parse_args()
    print(conditions())
    print(f"{wanted.budget} s per fit, seeds {wanted.seeds}")
    ratios = []
    for name in wanted.only:
        errors, seconds = [], []
        for seed in wanted.seeds:
            train, test = load(wanted.data, SETS[name], seed)
            own, took = ours(train, test, SETS[name], wanted.budget)
            errors.append((own, peers(train, test, SETS[name])))
            seconds.append(took)
        mean = np.mean(errors, axis=0)
        ratio = mean[0] / mean[1]
        if SETS[name].target == "label":
            ratios.append(ratio)
        print(
            f"{name:16s} {mean[0]:8.4f}  TF-IDF {mean[1]:8.4f}  ratio {ratio:.3f}  {np.mean(seconds):.1f} s",
            flush=True,
        )
    if ratios:
        middle = np.exp(np.log(ratios).mean())
        print(f"classification: geometric mean of the ratios {middle:.3f} over {len(ratios)}")


def load(folder: Path, one: Set, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows, shuffled, and test rows."""
    frame = pd.read_csv(folder / one.file).drop(columns=list(one.drop))
    number = np.arange(len(frame))
    if seed == 0 and one.test:
        train, test = frame, pd.read_csv(folder / one.test)
    else:
        held_out = number % 5 == seed
        if seed == 0 and one.rows:
            held_out = (number >= one.rows[0]) & (number < one.rows[1])
        train, test = frame[~held_out], frame[held_out]
    return train.sample(frac=1, random_state=seed), test


def ours(train: pd.DataFrame, test: pd.DataFrame, one: Set, budget: int) -> tuple[float, float]:
    """Our error on the test rows, and how long the fit took."""
    command = [sys.executable, "-m", "composable"]
    with tempfile.TemporaryDirectory() as folder:
        train.to_csv(f"{folder}/train.csv", index=False)
        test.drop(columns=[one.target]).to_csv(f"{folder}/test.csv", index=False)
        question = ["--target", one.target, *(["--metric", "mae"] if one.target != "label" else [])]
        limit = ["--time-limit", str(budget), "--out", f"{folder}/run"]
        began = time.monotonic()
        _run([*command, "fit", f"{folder}/train.csv", *question, *limit])
        took = time.monotonic() - began
        _run([*command, "predict", f"{folder}/run", f"{folder}/test.csv", "--out", f"{folder}/out.csv"])
        predicted = pd.read_csv(f"{folder}/out.csv")["prediction"].to_numpy()
    return _error(one, test[one.target].to_numpy(), predicted), took


def peers(train: pd.DataFrame, test: pd.DataFrame, one: Set) -> float:
    """The error of TF-IDF with a linear model."""
    names = [name for name in train.columns if name != one.target]
    inputs = [frame[names].fillna("").astype(str) for frame in (train, test)]
    words = make_column_transformer(*((TfidfVectorizer(ngram_range=(1, 2)), name) for name in names))
    if one.target == "label":
        model, grid = LogisticRegression(max_iter=1000), {"logisticregression__C": STRENGTHS}
        search = GridSearchCV(make_pipeline(words, model), grid, cv=StratifiedKFold(5))
    else:
        grid = {"ridge__alpha": [1 / strength for strength in STRENGTHS] + [100.0]}
        score = "neg_mean_absolute_error"
        search = GridSearchCV(make_pipeline(words, Ridge()), grid, cv=KFold(5), scoring=score)
    search.fit(inputs[0], train[one.target])
    return _error(one, test[one.target].to_numpy(), search.predict(inputs[1]))


def _error(one: Set, observed: np.ndarray, predicted: np.ndarray) -> float:
    if one.target != "label":
        return float(np.abs(observed - predicted).mean())
    if one.positive:
        return 1.0 - float(f1_score(observed, predicted, pos_label=one.positive))
    return 1.0 - float(np.mean(observed == predicted))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)


if __name__ == "__main__":
    main()
