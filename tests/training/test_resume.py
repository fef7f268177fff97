"""C5-C7: a training that is killed and taken up again ends as if nothing had happened, bit by bit."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.errors import ArtifactError
from composable.engine.averaging import EMA
from composable.engine.train import train
from composable.engine.training_options import Options
from composable.training.checkpointer import checkpointer
from tests.engine.cohorts import build, cohort, instance, same

EPOCHS = 5


class Killed(BaseException):
    """The process ends here."""


def network():
    """Normalization, dropout and biases: everything that has a state of its own."""
    inputs = keras.Input((3,), name="numbers")
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(4, activation="tanh")(inputs))
    return keras.Model({"numbers": inputs}, [keras.layers.Dense(1)(keras.layers.Dropout(0.2)(hidden))])


def instances():
    """The second one loses patience early, and goes back to its best."""
    options = {"epochs": EPOCHS, "batch_size": 4, "averaging": EMA(0.5)}
    return (
        instance(patience=None, **options),
        instance(seed=1, learning_rate=0.5, patience=1, rate_reductions=5, **options),
    )


def made():
    return cohort(*instances(), make=network)


def kept(folder, one, notices=None):
    return checkpointer(folder, one, every=0.0, notify=(notices if notices is not None else []).append)


def killed_at(folder, number):
    """Train until the state has been saved so many times; whether the training was killed."""
    one = made()
    keeping = kept(folder, one)
    save, times = keeping.save, []

    def saved(*given, **options):
        if len(times) == number:
            raise Killed
        times.append(1)
        save(*given, **options)

    keeping.save = saved
    try:
        train(one, deadline=Deadline(), options=Options(checkpointer=keeping))
    except Killed:
        return True
    return False


def finished(folder=None, notices=None):
    one = made()
    keeping = None if folder is None else kept(folder, one, notices)
    histories = train(one, deadline=Deadline(), options=Options(checkpointer=keeping))
    return one, [replace(h, epochs=tuple(replace(e, seconds=0.0) for e in h.epochs)) for h in histories]


def resumes_bit_equal(folder, number):
    """Whether it was killed at that save; what came of taking it up again is what came of no kill at all."""
    killed = killed_at(folder, number)
    whole, histories = finished()
    again, again_histories = finished(folder)
    assert again_histories == histories
    ours, theirs = again.program.snapshot(), whole.program.snapshot()
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    return killed


@pytest.mark.parametrize("number", [1, 5])
def test_after_a_kill_inside_or_between_epochs_the_training_ends_bit_equal(tmp_path, number):
    """C6: no row is skipped or seen twice, or the bits would differ."""
    assert resumes_bit_equal(tmp_path, number)


@pytest.mark.slow
def test_after_a_kill_at_any_save_the_training_ends_bit_equal(tmp_path):
    numbers = 0
    while resumes_bit_equal(tmp_path / str(numbers), numbers):
        numbers += 1
    assert numbers > EPOCHS


def test_killed_twice_it_still_ends_the_same(tmp_path):
    whole, histories = finished()
    assert killed_at(tmp_path, 4)
    assert killed_at(tmp_path, 2)
    again, again_histories = finished(tmp_path)
    assert again_histories == histories
    assert same(again.weights()[0], whole.weights()[0])


def test_a_worse_epoch_after_the_resume_does_not_replace_the_best(tmp_path):
    one = cohort(instance(epochs=6, learning_rate=0.1, patience=None))
    options = Options(checkpointer=checkpointer(tmp_path, one, every=0.0, notify=[].append))
    (before,) = train(one, deadline=Deadline(), options=options)
    best = one.weights()[0]
    longer = cohort(instance(epochs=6, learning_rate=0.1, patience=None))
    course = checkpointer(tmp_path, longer, notify=[].append)
    arrays, _ = course.load()
    longer.program.restore(arrays)
    longer.put(0, [np.full_like(w, 9.0) for w in longer.weights()[0]])
    held_out = longer.held_out
    longer.program.begin_epoch(
        np.zeros((1, 1, 8), "int32"),
        None,
        {name: np.zeros((1, 1), "float32") for name in ("rate", "decay", "dropout", "smoothing")},
    )
    assert longer.program.watch(held_out, np.array([True]))[0] > before.best
    assert same(longer.weights()[0], best)


def test_another_architecture_or_other_rows_are_refused(tmp_path):
    finished(tmp_path)
    with pytest.raises(ArtifactError, match="dense"):
        checkpointer(tmp_path, cohort(*instances(), make=build), notify=[].append).load()
    fewer = tuple(replace(one, rows=np.arange(40)) for one in instances())
    with pytest.raises(ArtifactError):
        checkpointer(tmp_path, cohort(*fewer, make=network), notify=[].append).load()


def test_what_is_saved_is_what_is_needed(tmp_path):
    """A damaged generation is passed over, with a word, and training goes on from the one before."""
    assert killed_at(tmp_path, 5)
    newest = max(tmp_path.glob("gen-*"), key=lambda path: int(path.name[4:]))
    arrays = next(newest.glob("*.npz"))
    arrays.write_bytes(arrays.read_bytes()[:-20])
    notices = []
    whole, histories = finished()
    again, again_histories = finished(tmp_path, notices)
    assert again_histories == histories
    assert same(again.weights()[1], whole.weights()[1])
    assert any(newest.name in notice for notice in notices)
