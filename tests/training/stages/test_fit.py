"""The training itself, whole or in two phases."""

from dataclasses import replace

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.design.part import Part
from composable.engine.regulation import follow_gap
from composable.engine.schedules import cosine
from composable.engine.settings import Settings, curves
from composable.training.stages.fit import fit, phases_of
from tests.training.stages.small_jobs import GOAL, dense, fresh, job


def test_it_passes_on_the_weights_that_were_best_on_the_held_out_rows():
    of = job(settings=replace(job().settings, epochs=4))
    found = fit(of, fresh(of), deadline=Deadline())
    model = dense()
    model.set_weights(list(found.progress.weights))
    predicted = model.predict({"numbers": of.rows.inputs["numbers"][of.held_out]}, verbose=0)
    predicted = np.asarray(predicted[0] if isinstance(predicted, list) else predicted)
    measure = np.asarray(GOAL.measure(of.rows.targets[0][of.held_out], predicted)).mean()
    assert measure == pytest.approx(min(found.evidence["held_out"]), rel=1e-4)
    assert found.gain == pytest.approx(found.evidence["before"] - min(found.evidence["held_out"]))
    assert found.pays


def test_a_late_phase_has_larger_batches_and_less_regularization():
    settings = Settings(
        learning_rate_schedule=Part(cosine),
        epochs=10,
        batch_size=32,
        weight_decay=0.1,
        label_smoothing=0.2,
        patience=None,
    )
    first, last = phases_of(settings, 0.3, batch=4.0, regularization=0.5)
    assert (first.epochs, last.epochs) == (7, 3)
    assert (first.batch_size, last.batch_size) == (32, 128)
    assert (last.dropout, last.weight_decay, last.label_smoothing) == (0.5, 0.05, 0.1)


def test_the_phases_together_follow_the_schedule_of_the_whole():
    settings = Settings(learning_rate_schedule=Part(cosine), learning_rate=1.0, epochs=10, patience=None)
    first, last = phases_of(settings, 0.5, batch=1.0, regularization=1.0)
    ends = [curves(phase, first=0, count=11, total=11, seed=0)["rate"] for phase in (settings, first, last)]
    assert ends[1][0] == pytest.approx(1.0)
    assert ends[1][-1] == pytest.approx(0.5) == ends[2][0]
    assert ends[2][-1] == pytest.approx(0.0)


def test_without_a_late_share_there_is_one_phase():
    assert phases_of(job().settings, 0.0, batch=4.0, regularization=0.5) == [job().settings]


@pytest.mark.slow
def test_both_phases_are_trained_one_after_the_other_under_a_regulation():
    of = job(settings=replace(job().settings, epochs=4, regulation=Part(follow_gap)))
    found = fit(of, fresh(of), deadline=Deadline(), late_share=0.5, batch=2.0)
    assert len(found.evidence["held_out"]) == 4
    assert found.evidence["stopped"] == ["epochs", "epochs"]
