"""Which signal tells early how well a draw of the initial weights will do.

For every draw: what each signal says, and the measure after the whole training on rows that no signal saw,
once with the order of rows in which the signal was taken (the training went on) and once with another order
(the draw alone was kept). Spearman's correlation between them, and how far the draw that the signal prefers
lies below the mean of all, in standard deviations. `another order` is the ceiling of every signal that
knows nothing but the draw: how far two trainings of the same draws agree.

python benchmarks/draw.py --tables DIR [--only NAME ...] [--seeds 0 1 2] [--draws 16] [--epochs 32]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from conditions import conditions
from jobs import digits_job, table_job
from scipy.stats import spearmanr

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.engine.cohort import Cohort
from composable.engine.rows import held_out_blocks
from composable.engine.train import train
from composable.training.stages.draw import drawn
from composable.training.stages.gain import for_scoring, halves
from composable.training.stages.stage import Job, Start, Weights, cohort_of

TARGETS = {
    "phoneme": "oral", "abalone": "rings", "german_credit": "class", "wheat_seeds": "variety",
    "pima_diabetes": "outcome", "spambase": "class",
}  # fmt: skip
SHORT = (1, 2, 4, 8, 16, 32)  # epochs after which the held-out loss is a signal
GRADIENT_ROWS = 512


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[*TARGETS, "digits"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--draws", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=32)
    given = parser.parse_args()
    print(conditions())
    print(
        f"{given.draws} draws, {given.epochs} epochs, seeds {given.seeds}: correlation / gain in deviations"
    )
    print(f"{'':15s}{'signal':24s}{'training went on':>20s}{'another order':>20s}")
    overall: dict[str, list[np.ndarray]] = {}
    for name in given.only:
        found: dict[str, list[np.ndarray]] = {}
        for seed in given.seeds:
            job = (
                digits_job(seed=seed)
                if name == "digits"
                else table_job(_file(given.tables, name), TARGETS[name], seed=seed)
            )
            for signal, row in _measured(job, given.draws, given.epochs):
                found.setdefault(signal, []).append(row)
        for signal, rows in found.items():
            _print(name, signal, rows)
            overall.setdefault(signal, []).extend(rows)
    for signal, rows in overall.items():
        _print("all", signal, rows)


def _measured(job: Job, count: int, epochs: int) -> Iterator[tuple[str, np.ndarray]]:
    """Each signal, and (2, 2): correlation and gain, in the same and in another order of the rows."""
    draws = [drawn(job, derive(job.seed, "draw", number)) for number in range(count)]
    choosing, judging = halves(job)
    settings = for_scoring(job.settings, epochs)
    signals: dict[str, np.ndarray] = {}
    ends = []
    for order in ("first", "second"):
        cohort = cohort_of(
            job, [Start(settings, derive(job.seed, order), weights) for weights in draws], held_out=choosing
        )
        start = cohort.program.measured(held_out_blocks([choosing] * count))
        histories = train(cohort, deadline=Deadline())
        ends.append(cohort.program.measured(held_out_blocks([judging] * count)))
        if order == "first":
            signals["held-out loss at first"] = start
            for short in SHORT:
                if short <= epochs:
                    signals[f"held-out, {short} epochs"] = np.array(
                        [h.epochs[short - 1].held_out for h in histories]
                    )
            signals["training loss, 1 epoch"] = np.array([h.epochs[0].loss for h in histories])
    signals["norm of the gradient"] = _gradient_norms(job, cohort, draws)
    signals["the author's"] = _authors(job, draws)
    yield "(another order)", np.array([[np.nan, np.nan], _told(ends[0], ends[1])])
    for name, signal in signals.items():
        yield name, np.array([_told(signal, end) for end in ends])


def _authors(job: Job, draws: Sequence[Weights]) -> np.ndarray:
    """The training loss of the last of three epochs of at most 350 batches of 32 at a rate of 1e-6."""
    rows = np.random.default_rng(job.seed).permutation(job.train)[: 350 * 32]
    settings = replace(job.settings, learning_rate=1e-6, batch_size=32, epochs=3, patience=None)
    starts = [Start(settings, derive(job.seed, "first"), weights) for weights in draws]
    histories = train(cohort_of(replace(job, train=rows), starts), deadline=Deadline())
    return np.array([history.epochs[-1].loss for history in histories])


def _gradient_norms(job: Job, cohort: Cohort, draws: Sequence[Weights]) -> np.ndarray:
    """Of the training loss at the initial weights, over up to `GRADIENT_ROWS` rows."""
    rows = np.random.default_rng(job.seed).permutation(job.train)[:GRADIENT_ROWS]
    part = job.rows.take(rows)
    model = cohort.model
    inputs = part.inputs if isinstance(model.input, dict) else next(iter(part.inputs.values()))

    def loss(trainable, other):
        outputs, _ = model.stateless_call(trainable, other, inputs, training=False)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        return sum(
            goal.loss(jnp.asarray(y), one, 0.0).mean()
            for goal, y, one in zip(job.goals, part.targets, outputs, strict=True)
        )

    gradient = jax.jit(jax.grad(loss))
    norms = []
    for weights in draws:
        model.set_weights(list(weights))
        values = [
            [v.value for v in some] for some in (model.trainable_variables, model.non_trainable_variables)
        ]
        norms.append(float(np.sqrt(sum(float((g**2).sum()) for g in gradient(*values)))))
    return np.array(norms)


def _told(signal: np.ndarray, end: np.ndarray) -> tuple[float, float]:
    """Spearman's correlation, and by how many deviations the draw with the lowest signal beats the mean."""
    found: Any = spearmanr(signal, end)
    return float(found.statistic), float((end.mean() - end[signal.argmin()]) / end.std(ddof=1))


def _print(name: str, signal: str, rows: list[np.ndarray]) -> None:
    mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0)
    cells = [f"{mean[k, 0]:+.2f}±{deviation[k, 0]:.2f} {mean[k, 1]:+.2f}" for k in (0, 1)]
    print(f"{name:15s}{signal:24s}{cells[0]:>20s}{cells[1]:>20s}", flush=True)


def _file(folder: Path, name: str) -> Path:
    return next(path for path in folder.iterdir() if path.name.startswith(f"{name}.csv"))


if __name__ == "__main__":
    main()
