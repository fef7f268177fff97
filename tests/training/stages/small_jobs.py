"""Small trainings to run stages on."""

import keras
import numpy as np

from composable.core.budget import Deadline
from composable.engine.objective import Goal, squared_error
from composable.engine.rows import Rows
from composable.engine.settings import Settings
from composable.training.stages.stage import Job, Progress

GOAL = Goal(squared_error, squared_error)
_random = np.random.default_rng(0)
NUMBERS = _random.normal(size=(60, 3)).astype("float32")
ROWS = Rows({"numbers": NUMBERS}, (np.sin(2 * NUMBERS[:, :1]) + NUMBERS[:, 1:2],))
NO_TIME = Deadline(0.0)


def dense():
    """Three numbers to one, over two layers with dropout and batch norm between them."""
    x = inputs = keras.Input((3,), name="numbers")
    x = keras.layers.Dense(4, activation="tanh", name="stem")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dense(4, activation="tanh", name="group")(x)
    x = keras.layers.Dropout(0.2, name="dropout")(x)
    x = keras.layers.Identity(name="encoding")(x)
    return keras.Model({"numbers": inputs}, [keras.layers.Dense(1, name="logits")(x)])


def job(**given):
    """Learns from forty rows, is scored on twenty; two short epochs."""
    settings = Settings(learning_rate=0.01, batch_size=16, epochs=2, patience=None)
    usual = {
        "name": "small",
        "build": dense,
        "goals": (GOAL,),
        "rows": ROWS,
        "train": np.arange(40),
        "held_out": np.arange(40, 60),
        "settings": settings,
        "seed": 0,
    }
    return Job(**usual | given)


def fresh(of):
    """The progress before any stage."""
    return Progress(None, of.settings)


def same(a, b):
    """Whether two lists of weights are equal bit by bit."""
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
