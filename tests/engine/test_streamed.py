"""Rows that come in chunks, and instances that are left behind."""

from __future__ import annotations

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.errors import DataError
from composable.engine import segments
from composable.engine import train as training
from composable.engine.cohort import Cohort, Instance
from composable.engine.feed.chunk import ArraysFeed
from composable.engine.initialize import initialize
from composable.engine.train import train
from composable.engine.training_options import Options
from tests.engine.cohorts import GOAL, HELD_OUT, ROWS, build, cohort, instance, settings, trained


def fed(*, epochs=40, feed=None, instances=1):
    """Learns from a feed of all rows, and is measured on ten of them."""
    chosen = tuple(
        Instance(np.arange(0), HELD_OUT, seed, settings(epochs=epochs, patience=None, learning_rate=0.05))
        for seed in range(instances)
    )
    feed = ArraysFeed(ROWS.inputs, ROWS.targets) if feed is None else feed
    begin = lambda model, number: initialize(model, build, number)  # noqa: E731
    return Cohort(build(), (GOAL,), ROWS.take(np.arange(10)), chosen, begin, feed)


@pytest.mark.parametrize("chunk", [16, 64])
def test_rows_in_chunks_are_learned_from(monkeypatch, chunk):
    monkeypatch.setattr(segments, "CHUNK", chunk)
    histories = train(fed(instances=3), deadline=Deadline())
    for history in histories:
        assert history.epochs[-1].held_out < 0.1 * history.epochs[0].held_out
        assert np.isfinite([epoch.loss for epoch in history.epochs]).all()


def test_every_row_is_shown_once_in_an_epoch(monkeypatch):
    monkeypatch.setattr(segments, "CHUNK", 16)
    made, seen = fed(epochs=1), []
    show = made.program.show
    made.program.show = lambda rows: (seen.append(rows), show(rows))
    begun, counted = made.program.begin_epoch, []
    made.program.begin_epoch = lambda order, count, curves: (
        counted.append(np.ones(order.shape[1:], bool) if count is None else count[0]),
        begun(order, count, curves),
    )
    train(made, deadline=Deadline())
    shown = [
        rows.targets[0].ravel()[: present.size][present.ravel()]
        for rows, present in zip(seen, counted, strict=True)
    ]
    np.testing.assert_array_equal(np.sort(np.concatenate(shown)), np.sort(ROWS.targets[0].ravel()))
    assert len(seen) == 4


def test_one_chunk_is_the_same_training_as_rows_on_the_device():
    """The feed's order is the engine's own."""
    made = fed(epochs=3)
    (streamed,) = train(made, deadline=Deadline())
    one = instance(epochs=3, patience=None, learning_rate=0.05)
    (whole,) = trained(one).histories
    assert [e.held_out for e in streamed.epochs] == pytest.approx([e.held_out for e in whole.epochs], rel=0.5)


def test_a_feed_of_unknown_length_is_counted_and_an_empty_one_refused():
    class Uncounted:
        rows, repeatable = None, True

        def chunks(self, **given):
            return ArraysFeed(ROWS.inputs, ROWS.targets).chunks(**given)

    assert fed(feed=Uncounted()).batch_plan.steps == 7
    empty = ROWS.take(np.arange(0))
    with pytest.raises(DataError, match="rows to learn from"):
        fed(feed=ArraysFeed(empty.inputs, empty.targets))


def test_instances_that_stopped_are_left_behind_and_keep_their_best(monkeypatch):
    """Packed or not, all come to the same; afterwards everything is still there."""
    monkeypatch.setattr(training, "_WORTH", 0.0)
    rates = (0.0, 0.01, 0.05, 1e-6)
    given = [instance(seed=5, epochs=8, learning_rate=r, patience=None, targets=ROWS.targets) for r in rates]
    packed = cohort(*given)
    packs, pack = [], packed.program.pack
    packed.program.pack = lambda active: (packs.append(active.tolist()), pack(active))
    histories = train(packed, deadline=Deadline(), options=Options(halvings={2: 0.5}))
    assert packs == [[False, True, True, False]]
    monkeypatch.setattr(training, "_WORTH", np.inf)
    plain = cohort(*given)
    expected = train(plain, deadline=Deadline(), options=Options(halvings={2: 0.5}))
    for one, other in zip(histories, expected, strict=True):
        assert [e.held_out for e in one.epochs] == pytest.approx([e.held_out for e in other.epochs], rel=1e-4)
    for best in (True, False):
        for number, (one, other) in enumerate(
            zip(packed.weights(best=best), plain.weights(best=best), strict=True)
        ):
            if best or number in (1, 2):
                for a, b in zip(one, other, strict=True):
                    np.testing.assert_allclose(a, b, atol=1e-5)
    outputs = packed.program.outputs([np.arange(5)] * 4)
    for heads, others in zip(outputs, plain.program.outputs([np.arange(5)] * 4), strict=True):
        np.testing.assert_allclose(heads[0], others[0], atol=1e-5)
