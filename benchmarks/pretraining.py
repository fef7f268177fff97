"""Where pre-training pays: networks begun from a pretext task and from their draw, with few labels and many.

For every task: its figure on rows held out and by chance; what a linear model makes of the embedding of rows
with a label, before and after; and the error on test rows after the network was trained on the labeled rows,
from the pre-trained weights minus from the drawn ones (below zero: it pays), with the standard error over the
seeds. All are trained for the same steps and judged at the last one. Errors: the share of wrong classes; for
numbers the root of the mean squared error, in standard deviations.

KERAS_BACKEND=jax python benchmarks/pretraining.py [--tables DIR] [--only NAME ...] [--labels 0.1 1]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from conditions import conditions
from jobs import DIGITS, table_job
from sklearn.linear_model import LogisticRegression, Ridge

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design import Architecture, Input, Part
from composable.design.layers import conv_norm
from composable.design.stems import rescale
from composable.design.taps import tap
from composable.design.tasks import classifier
from composable.engine.objective import Goal, categorical_cross_entropy
from composable.engine.rows import Rows, as_model_input
from composable.engine.schedules import cosine
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.training.stages.pretrain.image_classes import jigsaw, synthetic
from composable.training.stages.pretrain.masking import masking, number_denoising
from composable.training.stages.pretrain.pretext import Unlabeled
from composable.training.stages.pretrain.pretrain import learn
from composable.training.stages.pretrain.reconstruction import autoencoding, denoising, occlusion
from composable.training.stages.stage import Job, Start, Weights, cohort_of, set_start

TARGETS = {"phoneme": "oral", "abalone": "rings"}
IMAGES = (
    Part(jigsaw, tiles=4),
    Part(jigsaw),
    Part(denoising),
    Part(autoencoding),
    Part(occlusion),
    Part(synthetic),
)
TABLES = (Part(masking), Part(number_denoising))
STEPS, LEAST, MOST = 400, 20, 200  # of a training; epochs
SETTINGS = Settings(learning_rate=1e-3, learning_rate_schedule=Part(cosine), batch_size=32, patience=None)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--only", nargs="*", default=["digits", *TARGETS])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--labels", type=float, nargs="+", default=[0.02, 0.1, 1.0])
    given = parser.parse_args()
    print(conditions())
    print(f"pretext: {given.epochs} epochs; {given.seeds} seeds")
    for name in given.only:
        job = digits() if name == "digits" else _table(given.tables, name)
        _compare(job, IMAGES if name == "digits" else TABLES, given)


def digits() -> Job:
    """Three strided convolutions on 640 pictures of hands; 160 others are judged on."""
    stored = np.load(DIGITS)
    pixels, classes = (np.concatenate([stored[f"{what}_train"], stored[f"{what}_test"]]) for what in "xy")
    design = Architecture(
        prestem=Part(rescale),
        stem=Part(conv_norm, filters=16, kernel_size=3, strides=2),
        learner=tuple(Part(conv_norm, filters=f, kernel_size=3, strides=2) for f in (32, 64)),
        tasks=Part(classifier, classes=10),
    )
    loss = categorical_cross_entropy
    return Job(
        name="digits",
        build=lambda: tap(design.build(Input(pixels.shape[1:])), "logits"),
        goals=(Goal(loss, loss),),
        rows=Rows({"x": pixels}, (classes.astype("int32")[:, None],)),
        train=np.arange(len(stored["x_train"])),
        held_out=np.arange(len(stored["x_train"]), len(pixels)),
        settings=SETTINGS,
        seed=0,
    )


def _table(folder: Path, name: str) -> Job:
    path = next(path for path in folder.iterdir() if path.name.startswith(f"{name}.csv"))
    return replace(table_job(path, TARGETS[name], seed=0), settings=SETTINGS)


def _compare(job: Job, tasks: Sequence[Part], given: argparse.Namespace) -> None:
    starts = [Start(job.settings, derive(job.seed, "begin", number)) for number in range(given.seeds)]
    begun: dict[str, list[Weights]] = {"drawn": [_drawn(job, start) for start in starts]}
    for task in tasks:
        pretext = task(Unlabeled(job.rows.inputs, job.train, job.held_out, given.epochs, 0))
        settings = replace(job.settings, epochs=pretext.epochs)
        learned = learn(job, pretext, starts, settings, Deadline())
        begun[repr(task)] = list(learned.weights)
        reached = ", ".join(f"{figure:.3f}" for figure in learned.figures)
        print(f"{job.name}: {task!r}: {pretext.figure} {reached}; by chance {pretext.chance:.3f}", flush=True)
    for share in given.labels:
        labeled = _labeled(job, share)
        probed = {name: _probed(job, some, labeled) for name, some in begun.items()}
        trained = _trained(job, begun, starts, labeled)
        print(f"{job.name}, {len(labeled)} labels")
        for name in begun:
            linear, whole = probed[name], trained[name]
            difference = whole - trained["drawn"]
            spread = difference.std(ddof=1) / np.sqrt(len(difference))
            print(
                f"  {name:40s} linear on the embedding {linear.mean():.4f}   trained {whole.mean():.4f}"
                f"   {difference.mean():+.4f} ± {spread:.4f}",
                flush=True,
            )


def _labeled(job: Job, share: float) -> np.ndarray:
    """Some of the training rows; of classes as large a share of each, at least one row."""
    rng = np.random.default_rng(1)
    target = job.rows.targets[0][job.train, 0]
    strata = np.unique(target) if _has_classes(job) else [None]
    chosen = []
    for label in strata:
        of_it = rng.permutation(job.train if label is None else job.train[target == label])
        chosen.append(of_it[: max(1, round(share * len(of_it)))])
    return np.sort(np.concatenate(chosen))


def _has_classes(job: Job) -> bool:
    return len(np.unique(job.rows.targets[0])) <= 10


def _drawn(job: Job, start: Start) -> Weights:
    model = job.build()
    set_start(job, model, start)
    return tuple(np.array(value) for value in model.get_weights())


def _trained(
    job: Job, begun: Mapping[str, list[Weights]], starts: Sequence[Start], labeled: np.ndarray
) -> dict[str, np.ndarray]:
    """The error of each beginning and seed, all trained in one cohort."""
    steps = -(-len(labeled) // job.settings.batch_size)
    settings = replace(job.settings, epochs=int(np.clip(STEPS // steps, LEAST, MOST)))
    every = [
        replace(start, settings=settings, weights=weights)
        for some in begun.values()
        for start, weights in zip(starts, some, strict=True)
    ]
    cohort = cohort_of(replace(job, train=labeled), every, held_out=np.arange(0))
    train(cohort, deadline=Deadline())
    predicted = cohort.program.outputs([job.held_out] * len(every))
    errors = np.array([_error(job, heads[0]) for heads in predicted]).reshape(len(begun), -1)
    return dict(zip(begun, errors, strict=True))


def _probed(job: Job, some: Sequence[Weights], labeled: np.ndarray) -> np.ndarray:
    """The error of a linear model on the embedding of frozen networks."""
    network = job.build()
    reading = tap(network, "embedding")
    target = job.rows.targets[0][:, 0]
    errors = []
    for weights in some:
        network.set_weights(list(weights))
        vectors = reading.predict(as_model_input(reading, job.rows.inputs), batch_size=512, verbose=0)
        vectors = vectors.reshape(len(vectors), -1)
        centerd = (vectors - vectors[job.train].mean(axis=0)) / (vectors[job.train].std(axis=0) + 1e-6)
        classes = _has_classes(job)
        linear = LogisticRegression(max_iter=2000) if classes else Ridge(10.0)
        predicted = linear.fit(centerd[labeled], target[labeled]).predict(centerd[job.held_out])
        wrong = predicted != target[job.held_out] if classes else (predicted - target[job.held_out]) ** 2
        errors.append(np.mean(wrong) if classes else np.sqrt(np.mean(wrong)))
    return np.array(errors)


def _error(job: Job, logits: np.ndarray) -> float:
    target = job.rows.targets[0][job.held_out, 0]
    if logits.shape[-1] > 1:
        return float(np.mean(logits.argmax(axis=-1) != target))
    if _has_classes(job):
        return float(np.mean((logits[:, 0] > 0) != target))
    return float(np.sqrt(np.mean((logits[:, 0] - target) ** 2)))


if __name__ == "__main__":
    main()
