"""The trainings that stages are measured on: networks for real tables, and small ones for pictures."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import keras
import numpy as np
from keras import layers

from composable.auto.options import FitOptions
from composable.auto.prepare import completed, prepare, read, understand_table
from composable.core.seeds import derive
from composable.engine.objective import Goal, categorical_cross_entropy
from composable.engine.rows import Rows
from composable.engine.settings import Settings
from composable.modality import candidates
from composable.modality.facts import facts_of
from composable.training.folds import FoldTrainer
from composable.training.stages.stage import Job
from composable.training.stages.staging import fold_job

DIGITS = Path(__file__).parent.parent / "examples" / "sign_digits.npz"


def table_job(path: Path, target: str, *, seed: int, candidate: str = "mlp") -> Job:
    """One of the portfolio's networks on one fold of a table."""
    options = FitOptions(target=(target,), seed=seed)
    table = read(path, options)
    options = completed(options, table)
    understood = understand_table(table, options, lambda _notice: None)
    prepared = prepare(understood, options, lambda _notice: None)
    facts = facts_of(prepared.material, prepared.split, prepared.encoding)
    known = {found.name: found for found in islice(candidates(facts, seed=0), 10)}
    trainer = FoldTrainer(known[candidate], prepared.material)
    return fold_job(trainer, prepared.split.folds[0], seed=seed)


def digits_job(*, seed: int, blocks: int = 3) -> Job:
    """A small convolutional network on 640 pictures of hands that show digits; a quarter held out."""
    stored = np.load(DIGITS)
    pictures, digits = stored["x_train"].astype("float32") / 255.0, stored["y_train"].astype("int32")[:, None]
    mixed = np.random.default_rng(derive(seed, "digits")).permutation(len(pictures))
    goal = Goal(categorical_cross_entropy, categorical_cross_entropy)

    def build() -> keras.Model:
        x = inputs = keras.Input(pictures.shape[1:], name="picture")
        for number in range(blocks):
            x = layers.Conv2D(16 * 2**number, 3, strides=2, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
        x = layers.GlobalAveragePooling2D()(x)
        return keras.Model(inputs, layers.Dense(10)(x))

    return Job(
        name="digits",
        build=build,
        goals=(goal,),
        rows=Rows({"picture": pictures}, (digits,)),
        train=np.sort(mixed[160:]),
        held_out=np.sort(mixed[:160]),
        settings=Settings(learning_rate=3e-3, batch_size=32, epochs=60, patience=None),
        seed=seed,
    )
