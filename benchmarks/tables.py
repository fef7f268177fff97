"""Errors of Composable and of its peers on the same rows, one after the other, in one wall-clock budget each.

python benchmarks/tables.py --tables DIR [--budget 60] [--seeds 0] [--peers histgb catboost] [--only NAME ...]
                            [--before CHECKOUT]

DIR holds CSV files and `tables.csv` with the columns file, target and drop (several names joined by `;`).
Test rows are those whose number, modulo 5, is the seed. The error is the RMSE, 1 - ROC AUC (two classes) or
the log loss (more). Composable runs through its command line alone and never sees the test rows. Each ratio
is cut at 0.5 and 2. `--before` compares with another checkout of Composable, in the same environment.
"trained" is the share of the budget that went into training steps, solvers and trees.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from conditions import conditions
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score

from composable.data.frames import column_of

METRICS = {"regression": "rmse", "binary": "roc_auc", "multiclass": "log_loss"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--peers", nargs="*", default=["histgb"], choices=["histgb", "catboost"])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--before", type=Path)
    wanted = parser.parse_args()
    print(conditions())
    print(f"{wanted.budget} s per fit, seeds {wanted.seeds}")
    others = [*wanted.peers, *(["before"] if wanted.before else [])]
    ratios: dict[str, list[float]] = {peer: [] for peer in others}
    for file, target, drop in tables(wanted.tables / "tables.csv", wanted.only):
        errors: dict[str, list[float]] = {name: [] for name in ("composable", *others)}
        seconds, shares, task, rows = [], [], "", 0
        for seed in wanted.seeds:
            train, test, task = load(wanted.tables / file, target, drop, seed)
            rows = len(train)
            if wanted.before:
                checkout = wanted.before.resolve()
                errors["before"].append(ours(train, test, target, task, wanted.budget, checkout).error)
            fit = ours(train, test, target, task, wanted.budget)
            errors["composable"].append(fit.error)
            seconds.append(fit.seconds)
            shares.append(fit.trained / wanted.budget)
            for peer in wanted.peers:
                errors[peer].append(_peer(peer, train, test, target, task))
        mean = {name: float(np.mean(found)) for name, found in errors.items()}
        line = f"{file:28s} {task:10s} {rows:6d} rows  {mean['composable']:10.5g}"
        for peer in others:
            ratio = float(np.clip(max(mean["composable"], 1e-6) / max(mean[peer], 1e-6), 0.5, 2))
            if np.isfinite(ratio):
                ratios[peer].append(ratio)
            line += f"  {peer} {mean[peer]:10.5g} ratio {ratio:.3f}"
        print(f"{line}  {np.mean(seconds):.1f} s, trained {np.mean(shares):.0%}", flush=True)
    for peer, found in ratios.items():
        middle, won = np.exp(np.log(found).mean()), np.mean(np.array(found) < 1)
        print(f"against {peer}: geometric mean {middle:.3f} over {len(found)}, won {won:.0%}")


def tables(path: Path, only: list[str]) -> list[tuple[str, str, list[str]]]:
    """File, target and columns to drop of each table, or of those whose file begins with one of `only`."""
    listed = pd.read_csv(path).fillna("").astype(str)
    found = [
        (file, target, drop.split(";"))
        for file, target, drop in listed[["file", "target", "drop"]].to_numpy()
    ]
    return [one for one in found if not only or one[0].startswith(tuple(only))]


def load(path: Path, target: str, drop: list[str], seed: int) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Training rows, test rows and the task."""
    frame = pd.read_csv(path, na_values=["?"], skipinitialspace=True).drop(columns=drop, errors="ignore")
    frame = frame.dropna(subset=[target]).reset_index(drop=True)
    y = column_of(frame, target)
    distinct = len(y.unique())
    if y.dtype.kind in "fi" and distinct > 20:
        task = "regression"
    else:
        frame[target] = y.astype(str)
        task = "binary" if distinct == 2 else "multiclass"
    test = np.arange(len(frame)) % 5 == seed
    return frame.loc[~test].reset_index(drop=True), frame.loc[test].reset_index(drop=True), task


@dataclass(frozen=True)
class Fit:
    """A fit: its error on the test rows, the seconds it took, and those of them that were spent training."""

    error: float
    seconds: float
    trained: float


def ours(
    train: pd.DataFrame, test: pd.DataFrame, target: str, task: str, budget: int, checkout: Path | None = None
) -> Fit:
    """A fit and its predictions, through the command line of this checkout or of another one."""
    command = [sys.executable, "-m", "composable"]
    checkout = checkout or Path(__file__).parents[1].resolve()
    with tempfile.TemporaryDirectory() as folder:
        train.to_csv(f"{folder}/train.csv", index=False)
        test.drop(columns=[target]).to_csv(f"{folder}/test.csv", index=False)
        question = ["--target", target, "--problem", task, "--metric", METRICS[task]]
        limit = ["--time-limit", str(budget), "--out", f"{folder}/run"]
        began = time.monotonic()
        _run([*command, "fit", f"{folder}/train.csv", *question, *limit], checkout)
        took = time.monotonic() - began
        table = [f"{folder}/run", f"{folder}/test.csv", "--out", f"{folder}/out.csv"]
        _run([*command, "predict", *table], checkout)
        answers = pd.read_csv(f"{folder}/out.csv")
        trials = [json.loads(p.read_text("utf-8")) for p in Path(folder, "run").glob("trials/*/trial.json")]
    classes = [name[2:] for name in answers if name.startswith("p_")]
    shares = answers[[f"p_{name}" for name in classes]].to_numpy() if classes else None
    error = _error(task, column_of(test, target), answers["prediction"].to_numpy(), shares, classes)
    return Fit(error, took, sum(one["seconds"] for one in trials if one["role"] in ("network", "baseline")))


def histgb(train: pd.DataFrame, test: pd.DataFrame, target: str, task: str) -> float:
    """scikit-learn's HistGradientBoosting with its defaults."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    x, z = _encoded(train, test, target)
    for name in x.columns[x.dtypes == "category"]:
        common = x[name].value_counts().index[:250].tolist()  # it takes at most 255; the rest become missing
        x[name], z[name] = x[name].cat.set_categories(common), z[name].cat.set_categories(common)
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    model = kind(categorical_features="from_dtype", random_state=0)
    return _scored(model.fit(x, train[target]), z, column_of(test, target), task)


def catboost(train: pd.DataFrame, test: pd.DataFrame, target: str, task: str) -> float:
    """CatBoost with its defaults, on two threads."""
    import catboost as library  # pyright: ignore[reportMissingImports] (only where it is asked for)

    x, z = _encoded(train, test, target)
    names = list(x.columns[x.dtypes == "category"])
    x[names], z[names] = (rows[names].astype(object).fillna("missing").astype(str) for rows in (x, z))
    kind = library.CatBoostRegressor if task == "regression" else library.CatBoostClassifier
    model = kind(thread_count=2, verbose=0, cat_features=names, allow_writing_files=False)
    return _scored(model.fit(x, train[target]), z, column_of(test, target), task)


def _peer(peer: str, train: pd.DataFrame, test: pd.DataFrame, target: str, task: str) -> float:
    """The peer's error; NaN where it refuses the table."""
    try:
        return PEERS[peer](train, test, target, task)
    except ValueError as refused:
        print(f"{peer} refuses: {refused}", file=sys.stderr)
        return float("nan")


PEERS = {"histgb": histgb, "catboost": catboost}


def _encoded(train: pd.DataFrame, test: pd.DataFrame, target: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    x = train.drop(columns=[target])
    x = x.dropna(axis="columns", how="all")  # HistGradientBoosting refuses a column without any value
    z = test.drop(columns=[name for name in test.columns if name not in x.columns])
    for name in x.columns:
        if x[name].dtype.kind not in "fiub":
            categories = pd.Categorical(x[name].astype(str)).categories
            x[name] = pd.Categorical(x[name].astype(str), categories=categories)
            z[name] = pd.Categorical(z[name].astype(str), categories=categories)
    return x, z


def _scored(model: Any, rows: pd.DataFrame, observed: pd.Series, task: str) -> float:
    shares = None if task == "regression" else model.predict_proba(rows)
    classes = [] if task == "regression" else [str(label) for label in model.classes_]
    return _error(task, observed, np.ravel(model.predict(rows)), shares, classes)


def _error(
    task: str, observed: pd.Series, predicted: np.ndarray, shares: np.ndarray | None, classes: list[str]
) -> float:
    if shares is None:
        return float(mean_squared_error(observed, predicted) ** 0.5)
    order = np.argsort(classes)
    p = np.clip(shares[:, order], 1e-15, 1)
    p = p / p.sum(axis=1, keepdims=True)
    labels = sorted(classes)
    if task == "binary":
        return 1 - float(roc_auc_score(observed.astype(str) == labels[1], p[:, 1]))
    return float(log_loss(observed.astype(str), p, labels=labels))


def _run(command: list[str], checkout: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:5])} failed:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    main()
