"""The lottery of initial weights."""

import numpy as np
import pytest

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.training.stages.draw import draw, drawn
from composable.training.stages.stage import Progress
from tests.training.stages.small_jobs import NO_TIME, fresh, job, same


@pytest.fixture(scope="module")
def outcome():
    """Of three draws."""
    of = job()
    return draw(of, fresh(of), deadline=Deadline(), draws=3, epochs=1, scored_for=2, seeds=2)


def test_it_passes_on_the_weights_of_the_draw_with_the_best_signal_not_trained_ones(outcome):
    kept = int(np.argmin(outcome.evidence["signal"]))
    assert outcome.evidence["kept"] == kept
    assert same(outcome.progress.weights, drawn(job(), derive(job().seed, "draw", kept)))


def test_the_draws_differ(outcome):
    assert len(set(outcome.evidence["signal"])) == 3


def test_its_gain_is_over_the_mean_of_all_draws(outcome):
    without, reached = outcome.evidence["without"], outcome.evidence["with"]
    assert (len(without), len(reached)) == (3, 2)
    assert outcome.gain == pytest.approx(np.mean(without) - np.mean(reached))
    expected = np.hypot(np.std(without, ddof=1) / np.sqrt(3), np.std(reached, ddof=1) / np.sqrt(2))
    assert outcome.spread == pytest.approx(expected)


def test_it_says_how_well_the_signal_told_the_results(outcome):
    assert -1 <= outcome.evidence["correlation"] <= 1


def test_weights_that_are_there_are_not_drawn_again():
    weights = drawn(job(), 1)
    found = draw(job(), Progress(weights, job().settings), deadline=Deadline())
    assert found.status == "skipped"
    assert same(found.progress.weights, weights)


def test_without_time_it_does_nothing():
    assert draw(job(), fresh(job()), deadline=NO_TIME).status == "skipped"
