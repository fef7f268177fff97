"""What a stage gains over a training without it."""

import math

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.engine.history import Epoch, History
from composable.training.stages.draw import drawn
from composable.training.stages.gain import (
    NOT_MEASURED,
    Gain,
    compared,
    concluded,
    for_scoring,
    halves,
    measure_gain,
    reached_measure,
)
from composable.training.stages.stage import Outcome, Progress, Start
from tests.engine.cohorts import Clock
from tests.training.stages.small_jobs import NO_TIME, job


def test_pairs_of_one_seed_are_compared_with_each_other():
    without, reached = np.array([1.0, 2.0, 3.0]), np.array([0.9, 1.9, 2.6])
    gain = compared(without, reached, epochs=5, paired=True)
    assert gain.mean == pytest.approx(0.2)
    assert gain.spread == pytest.approx(np.std([0.1, 0.1, 0.4], ddof=1) / math.sqrt(3))
    assert compared(without, reached, epochs=5, paired=False).spread > gain.spread


def test_an_instance_that_diverged_counts_as_the_worst_of_the_others():
    gain = compared(np.array([1.0, math.nan]), np.array([0.5, 0.5]), epochs=1, paired=True)
    assert (gain.without, gain.diverged) == ((1.0, 1.0), 1)
    assert gain.mean == pytest.approx(0.5)


def test_nothing_finite_is_no_gain():
    assert compared(np.array([math.nan]), np.array([math.inf]), epochs=1, paired=True).mean is None


def test_one_seed_has_no_spread_and_passes_on_what_was_received():
    gain = compared(np.array([1.0]), np.array([0.5]), epochs=1, paired=True)
    assert gain.spread is None
    received, reached = Progress(None, job().settings), Progress(drawn(job(), 1), job().settings)
    found = concluded(received, Outcome("some", reached), gain)
    assert (found.status, found.progress) == ("failed", received)
    assert "more than once" in found.reason


def test_rows_that_choose_never_score():
    choosing, judging = halves(job())
    assert not set(choosing) & set(judging)
    assert set(choosing) | set(judging) == set(job().held_out)


def test_the_best_of_the_first_epochs_counts():
    history = History(
        tuple(Epoch(n, 1.0, held, 0.0) for n, held in enumerate((3.0, 2.0, math.nan, 1.0))), 3, "epochs"
    )
    assert reached_measure(history) == 1.0
    assert reached_measure(history, 3) == 2.0


def test_the_same_beginnings_gain_nothing():
    """Both sides are one cohort: equal seeds, equal rows, equal results."""
    starts = [Start(for_scoring(job().settings, 1), seed, drawn(job(), 1)) for seed in (0, 1)]
    gain = measure_gain(job(), starts, starts, held_out=job().held_out, deadline=Deadline())
    assert (gain.mean, gain.spread, gain.epochs) == (0.0, 0.0, 1)
    assert gain.without[0] != gain.without[1]


def test_a_stage_whose_gain_is_not_known_passes_on_what_it_received():
    before, after = Progress(None, job().settings), Progress(drawn(job(), 1), job().settings)
    found = concluded(before, Outcome("some", after, evidence={"a": 1}), NOT_MEASURED, cut="cut")
    assert (found.status, found.progress, found.gain) == ("failed", before, None)
    known = concluded(before, Outcome("some", after, evidence={"a": 1}), Gain(0.5, 0.1, epochs=3), cut="cut")
    assert (known.status, known.progress, known.gain, known.reason) == ("done", after, 0.5, "cut")
    assert known.evidence == {"a": 1, "without": [], "with": [], "epochs": 3, "diverged": 0}


def test_a_comparison_of_less_than_half_its_epochs_is_none():
    """The clock moves on by a second each time it is read: the time ends within the first epochs."""
    long = for_scoring(job().settings, 400)
    starts = [Start(long, seed, drawn(job(), 1)) for seed in (0, 1)]
    deadline = Deadline(30.0, clock=Clock())
    gain = measure_gain(job(), starts, starts, held_out=job().held_out, deadline=deadline)
    assert gain == NOT_MEASURED


def test_without_time_it_is_not_measured():
    start = Start(job().settings, 0)
    assert measure_gain(job(), [start], [start], held_out=job().held_out, deadline=NO_TIME).mean is None


@pytest.mark.parametrize("rows", [{"train": np.arange(0)}, {"held_out": np.arange(0)}])
def test_a_job_needs_rows_to_learn_from_and_to_score_on(rows):
    with pytest.raises(ConfigError, match="score on others"):
        job(**rows)
