"""Five folds of a table with the tabm and pytabkit packages, at their own defaults. See `rounds`.

The job's `table` is a CSV file, its `target` the column of classes; row r is held out by fold r % 5.
"""

from __future__ import annotations

import logging
import os
import warnings

import numpy as np
import pandas as pd
import torch
from rounds import Job, Prepared, seconds, take_part
from torch.nn import functional

FOLDS = 5
CORES = len(os.sched_getaffinity(0))


def tabm_mini(job: Job) -> Prepared:
    """TabM-mini with piecewise-linear embeddings, trained as the package's example trains it.

    The package brings the network alone: 32 members, two blocks of 512, dropout 0.1, 48 bins, embeddings of
    16. The loop is its example's: AdamW, 256 rows a step, every member's own loss, held-out rows each epoch.
    """
    from rtdl_num_embeddings import PiecewiseLinearEmbeddings, compute_bins
    from tabm import TabM

    torch.set_num_threads(CORES)
    inputs, classes = _table(job)
    inputs = torch.from_numpy((inputs - inputs.mean(0)) / inputs.std(0))
    classes, fold_of = torch.from_numpy(classes), torch.arange(len(classes)) % FOLDS

    def member_loss(outputs: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(outputs.flatten(0, 1), known.repeat_interleave(outputs.shape[1]))

    def one(fold: int) -> None:
        torch.manual_seed(fold)
        learning, held_out = fold_of != fold, fold_of == fold
        x, y = inputs[learning], classes[learning]
        embeddings = PiecewiseLinearEmbeddings(compute_bins(x, 48), 16, activation=False, version="B")
        model = TabM.make(
            n_num_features=x.shape[1],
            d_out=int(classes.max()) + 1,
            num_embeddings=embeddings,
            arch_type="tabm-mini",
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=3e-4)
        for _ in range(job["epochs"]):
            model.train()
            for batch in torch.randperm(len(x)).split(256):
                optimizer.zero_grad(set_to_none=True)
                member_loss(model(x[batch]), y[batch]).backward()
                optimizer.step()
            model.eval()
            with torch.inference_mode():
                predicted = model(inputs[held_out]).softmax(-1).mean(1).argmax(-1)
                (predicted == classes[held_out]).float().mean().item()

    return Prepared(lambda: [one(fold) for fold in range(FOLDS)])


def realmlp(job: Job) -> Prepared:
    """RealMLP-TD; pytabkit trains the five folds side by side in one network.

    With as many threads as there are cores, or with one, its default on two of them: whichever is faster.
    """
    from pytabkit import RealMLP_TD_Classifier

    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    inputs, classes = _table(job)
    held_out = np.arange(len(classes)).reshape(-1, FOLDS).T

    def fit(epochs: int, threads: int) -> None:
        model = RealMLP_TD_Classifier(
            n_cv=FOLDS, n_epochs=epochs, random_state=0, device="cpu", n_threads=threads
        )
        model.fit(inputs, classes, val_idxs=held_out)

    fit(1, 1)  # what only the first of all does: libraries, memory
    measured = {threads: seconds(lambda threads=threads: fit(2, threads)) for threads in {1, CORES}}
    best = min(measured, key=lambda threads: measured[threads])
    return Prepared(lambda: fit(job["epochs"], best), facts={"threads": best})


def _table(job: Job) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, float32, and classes, int64, in as many rows as make equal folds."""
    frame = pd.read_csv(job["table"])
    frame = frame.iloc[: len(frame) // FOLDS * FOLDS]
    codes = frame[job["target"]].astype("category").cat.codes.to_numpy("int64")
    return frame.drop(columns=job["target"]).to_numpy("float32"), codes


if __name__ == "__main__":
    take_part({"tabm_mini": tabm_mini, "realmlp": realmlp}, ("torch", "tabm", "pytabkit"))
