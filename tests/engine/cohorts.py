"""Small cohorts to train."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
from keras import ops

from composable.core.budget import Deadline
from composable.engine.cohort import Cohort, Instance
from composable.engine.initialize import initialize
from composable.engine.objective import Goal, squared_error
from composable.engine.rows import Rows
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.engine.training_options import Options

random = np.random.default_rng(0)
X = random.normal(size=(50, 3)).astype("float32")
ROWS = Rows({"numbers": X}, (X[:, :1] * 2 + 1,))
HELD_OUT = np.arange(10)
GOAL = Goal(squared_error, squared_error)


def build(*, dropout=0.0):
    """Three numbers to one, over four hidden units."""
    inputs = keras.Input((3,), name="numbers")
    hidden = keras.layers.Dropout(dropout)(keras.layers.Dense(4, activation="tanh")(inputs))
    return keras.Model({"numbers": inputs}, [keras.layers.Dense(1)(hidden)])


def settings(**given):
    """Three short epochs of small batches."""
    return Settings(**{"batch_size": 8, "epochs": 3, "learning_rate": 0.01} | given)


def instance(*, rows=None, held_out=HELD_OUT, seed=0, targets=None, weights=None, **given):
    """Learns from all rows, measured on ten."""
    rows = np.arange(len(ROWS)) if rows is None else rows
    return Instance(rows, held_out, seed, settings(**given), targets, weights)


def cohort(*instances, make=build, rows=ROWS, goals=(GOAL,)):
    """Instances of one model, each with weights drawn by its own seed."""

    def begin(model, number):
        initialize(model, make, instances[number].seed)

    return Cohort(make(), goals, rows, instances, begin)


def trained(*instances, deadline=None, make=build, rows=ROWS, goals=(GOAL,), **options):
    """The cohort after its training, its histories, and the best weights of each instance."""
    made = cohort(*instances, make=make, rows=rows, goals=goals)
    histories = train(made, deadline=deadline or Deadline(), options=Options(**options))
    return SimpleNamespace(cohort=made, histories=histories, weights=made.weights())


def same(a, b):
    """Whether two lists of weights are equal bit by bit."""
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


class Clock:
    """Advances by one second each time it is read."""

    now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def error(made, weights):
    """The mean squared error of a model with these weights on the held-out rows."""
    model = made.cohort.model
    model.set_weights(weights)
    outputs = ops.convert_to_numpy(keras.tree.flatten(model({"numbers": X[HELD_OUT]}))[0])
    return float(np.mean((outputs - ROWS.targets[0][HELD_OUT]) ** 2))
