"""Training stops in time, and keeps the best weights."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops

from composable.core.budget import Deadline
from composable.design import Part
from composable.engine.history import best_first
from composable.engine.objective import Goal, squared_error
from composable.engine.schedules import cosine
from composable.engine.train import train
from tests.engine.cohorts import HELD_OUT, Clock, cohort, error, instance, same, trained

STEPS = 7  # of an epoch: fifty rows, eight at a time


@pytest.mark.parametrize("as_one", [False, True])
def test_a_measure_that_is_no_number_is_no_improvement(as_one):
    """The loss is a number all the same. What learns has a measure in the end, what stands still never."""

    def small(y, outputs):
        error = squared_error(y, outputs)
        return ops.where(error < 0.3, error, np.nan)

    found = trained(
        instance(epochs=60, learning_rate=0.1, patience=None),
        instance(seed=1, learning_rate=0.0, weight_decay=0.0, epochs=60, patience=5, rate_reductions=0),
        goals=(Goal(squared_error, small),),
        as_one=as_one,
    )
    learning, still = found.histories
    assert np.isnan(learning.epochs[0].held_out)
    assert np.isfinite(learning.best)
    assert (still.best_epoch, still.stopped, len(still.epochs)) == (-1, "patience", 5)
    assert not same(found.weights[0], found.weights[1])


def test_the_best_weights_are_kept():
    """Far too fast: the first epochs are best, and the weights are theirs."""
    found = trained(
        instance(epochs=30, learning_rate=0.05, patience=None),
        instance(seed=3, epochs=30, learning_rate=3.0, patience=None),
    )
    for weights, history in zip(found.weights, found.histories, strict=True):
        best = history.epochs[history.best_epoch].held_out
        assert best == min(epoch.held_out for epoch in history.epochs)
        assert error(found, weights) == pytest.approx(best, rel=1e-4)
    assert found.histories[1].best_epoch < 29


def test_stopped_as_one_all_keep_the_epoch_that_is_best_on_the_mean():
    instances = [
        instance(epochs=30, learning_rate=0.05, patience=None),
        instance(seed=3, epochs=30, learning_rate=3.0, patience=None),
        instance(
            seed=4, epochs=30, learning_rate=1e30, patience=None
        ),  # is no number soon, and counts no more
    ]
    found = trained(*instances, as_one=True)
    assert found.histories[2].stopped == "nan"
    measures = np.array([[epoch.held_out for epoch in one.epochs] for one in found.histories[:2]])
    best = int(measures.mean(axis=0).argmin())
    assert best != measures[0].argmin()
    for history, weights, reached in zip(found.histories, found.weights, measures[:, best], strict=False):
        assert history.best_epoch == best
        assert history.best == reached == pytest.approx(error(found, weights), rel=1e-4)


def test_stopped_as_one_all_lose_patience_at_once():
    """A rate of nothing never gets better, but one that learns keeps it going."""
    still = instance(epochs=20, learning_rate=0.0, weight_decay=0.0, patience=3, rate_reductions=0)
    moving = instance(seed=1, epochs=20, learning_rate=0.05, patience=3, rate_reductions=0)
    alone, together = (trained(still, moving, as_one=as_one).histories for as_one in (False, True))
    assert len(alone[0].epochs) == 4
    assert len(together[0].epochs) == len(together[1].epochs) > 4
    assert together[0].best_epoch == together[1].best_epoch


def test_patience_ends_the_training():
    """A rate of nothing never gets better."""
    one = instance(epochs=20, learning_rate=0.0, weight_decay=0.0, patience=3, rate_reductions=0)
    (history,) = trained(one).histories
    assert (len(history.epochs), history.stopped, history.best_epoch) == (4, "patience", 0)


def test_a_lower_rate_takes_up_the_best_weights():
    """Patience 1: the epochs after a bad one start from the best, ever slower."""
    rate = {"learning_rate": 0.3, "patience": 1, "rate_reductions": 3, "rate_divisor": 10.0}
    for history in trained(*(instance(seed=seed, epochs=200, **rate) for seed in range(3))).histories:
        assert history.stopped == "patience"
        measures = [epoch.held_out for epoch in history.epochs]
        worse = [place for place in range(1, len(measures)) if measures[place] > min(measures[:place])]
        assert len(worse) == 4
        assert worse[-1] == len(measures) - 1
        assert all(measures[place + 1] < 1.2 * min(measures[:place]) for place in worse[:-1])


def test_instances_stop_on_their_own():
    found = trained(
        instance(epochs=5),
        instance(seed=1, epochs=2),
        instance(seed=2, learning_rate=0.0, patience=1, rate_reductions=0),
    )
    assert [len(history.epochs) for history in found.histories] == [5, 2, 2]
    assert [history.stopped for history in found.histories] == ["epochs", "epochs", "patience"]


def test_an_instance_that_stopped_keeps_its_weights_while_the_others_go_on():
    found = trained(
        instance(epochs=2, held_out=HELD_OUT[:0]), instance(seed=1, epochs=9, held_out=HELD_OUT[:0])
    )
    alone = trained(instance(epochs=2, held_out=HELD_OUT[:0]))
    for one, other in zip(found.weights[0], alone.weights[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_loss_that_is_no_number_is_marked_and_never_touches_the_others():
    found = trained(instance(epochs=4), instance(seed=1, epochs=4, learning_rate=1e30))
    alone = trained(instance(epochs=4))
    good, bad = found.histories
    assert (bad.stopped, good.stopped) == ("nan", "epochs")
    assert bad.diverged.learning_rate == pytest.approx(1e30)
    assert (bad.diverged.epoch, bad.diverged.step) >= (0, 1)
    assert all(np.isfinite(w).all() for w in found.weights[1])
    assert best_first(found.histories)[0] == 0
    for one, other in zip(found.weights[0], alone.weights[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_without_held_out_rows_weights_that_are_no_numbers_are_not_kept():
    found = trained(instance(epochs=4, learning_rate=1e30, held_out=np.array([], int)))
    assert found.histories[0].stopped == "nan"
    assert all(np.isfinite(w).all() for w in found.weights[0])


def test_halving_keeps_the_better_ones():
    rates = (0.0, 0.01, 0.05, 1e-6)
    found = trained(*(instance(seed=5, epochs=6, learning_rate=r) for r in rates), halvings={2: 0.5})
    assert [history.stopped for history in found.histories] == ["dropped", "epochs", "epochs", "dropped"]
    assert len(found.histories[0].epochs) == 2


def test_the_deadline_stops_inside_an_epoch_and_keeps_the_best_weights():
    one = instance(epochs=99, batch_size=1)  # fifty steps are an epoch, of which a first look takes eight
    found = trained(one, deadline=Deadline(12, Clock()))
    assert found.histories[0].stopped == "deadline"
    assert len(found.histories[0].epochs) < 9
    assert np.isfinite(found.weights[0][0]).all()


def test_a_schedule_comes_to_its_end_within_the_deadline(monkeypatch):
    """Without patience fewer epochs are planned, and the last one is planned as the last."""
    one = instance(epochs=1000, patience=None, learning_rate_schedule=Part(cosine))
    rates, now = [], [100.0]
    made = cohort(one)
    began, advanced = made.program.begin_epoch, made.program.advance

    def recorded(order, counted, curves):
        rates.append(float(curves["rate"][0, -1]))
        began(order, counted, curves)

    def slow(first, count):
        now[0] += 0.1 * count  # seconds
        advanced(first, count)

    made.program.begin_epoch, made.program.advance = recorded, slow
    monkeypatch.setattr("composable.engine.train.time", SimpleNamespace(monotonic=lambda: now[0]))
    (history,) = train(made, deadline=Deadline(100.0, lambda: now[0]))
    assert history.stopped == "epochs"
    assert 100 < len(history.epochs) < 1000 / STEPS  # a thousand steps fit, and some are for the rehearsal
    assert rates[-1] < 0.05 * 0.01


def test_of_few_epochs_the_last_may_be_a_part_of_one(monkeypatch):
    """Of whole epochs two would fit, and the time of half an epoch would be left."""
    one = instance(epochs=1000, patience=None, learning_rate_schedule=Part(cosine), batch_size=1)
    rates, now = [], [0.0]
    made = cohort(one)
    steps, began, advanced = made.batch_plan.steps, made.program.begin_epoch, made.program.advance

    def recorded(order, counted, curves):
        rates.append(curves["rate"][0])
        began(order, counted, curves)

    def slow(first, count):
        now[0] += count / steps  # an epoch takes a second
        advanced(first, count)

    made.program.begin_epoch, made.program.advance = recorded, slow
    monkeypatch.setattr("composable.engine.train.time", SimpleNamespace(monotonic=lambda: now[0]))
    rehearsed = 17 / steps
    (history,) = train(made, deadline=Deadline(rehearsed + 2.6 * 1.05, lambda: now[0]))
    assert len(history.epochs) == 3
    taken = now[0] - rehearsed
    assert 2.55 < taken < 2.6 * 1.05
    last = rates[-1][: round((taken - 2) * steps)]
    assert 0 <= last[-1] < 0.1 * last[0]
