"""Schedules: the published formulas, whole from the first step to the last, however the training is cut."""

from __future__ import annotations

import math

import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design.config import from_config, to_config
from composable.design.part import Part
from composable.engine.schedules import (
    constant,
    cosine,
    coslog4,
    exponential,
    factors,
    flat_cosine,
    inverse_time,
    one_cycle,
    polynomial,
    step,
    triangular,
    warm_restarts,
    warmed,
)

SCHEDULES = (
    constant, inverse_time, step, exponential, polynomial, cosine, one_cycle, triangular, flat_cosine,
    coslog4, warm_restarts,
)  # fmt: skip
PARTS = (*map(Part, SCHEDULES), Part(warmed, then=cosine), Part(warmed, then=Part(exponential, end=0.5)))
ENDS = (
    (Part(constant), 1.0, 1.0),
    (Part(inverse_time, end=0.2), 1.0, 0.2),
    (Part(step, at=(0.3, 1 - 1e-9), factor=0.5), 1.0, 0.25),
    (Part(exponential, end=0.03), 1.0, 0.03),
    (Part(polynomial, power=2.0, end=0.1), 1.0, 0.1),
    (Part(cosine, end=0.01), 1.0, 0.01),
    (Part(one_cycle, start=0.1, end=0.001), 0.1, 0.001),
    (Part(triangular), 0.2, 0.07),
    (Part(flat_cosine), 1.0, 0.0),
    (Part(coslog4), 0.0, 0.0),
    (Part(warm_restarts, end=0.05), 1.0, 0.05),
    (Part(warmed, then=Part(cosine, end=0.2), start=0.25), 0.25, 0.2),
)


def name(part):
    return part.name


@pytest.mark.parametrize(("schedule", "first", "last"), ENDS, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("total", [2, 7, 1000])
def test_a_schedule_begins_and_ends_on_the_values_it_names(schedule, first, last, total):
    found = factors(schedule, 0, total, total)
    assert found[0] == pytest.approx(first, abs=1e-12)
    assert found[-1] == pytest.approx(last, abs=1e-12)


@pytest.mark.parametrize("schedule", PARTS, ids=name)
def test_epochs_of_any_length_join_into_the_same_curve(schedule):
    whole = factors(schedule, 0, 100, 100)
    joined = np.concatenate([factors(schedule, 0, 33, 100), factors(schedule, 33, 67, 100)])
    assert np.array_equal(whole, joined)
    assert whole.dtype == np.float64
    assert np.all((whole >= 0) & (whole <= 1))


@pytest.mark.parametrize("schedule", PARTS, ids=name)
def test_a_training_beyond_its_plan_stays_at_the_last_value(schedule):
    assert np.array_equal(factors(schedule, 100, 3, 100), np.repeat(factors(schedule, 99, 1, 100), 3))


@pytest.mark.parametrize("schedule", PARTS, ids=name)
def test_schedules_become_json_and_back(schedule):
    assert from_config(to_config(schedule)) == schedule


@pytest.mark.parametrize("schedule", PARTS, ids=name)
def test_one_step_takes_the_first_value(schedule):
    assert factors(schedule, 0, 1, 1) == factors(schedule, 0, 1, 50)


def test_cosine_is_the_true_one_and_not_a_product_of_cosines():
    """The reference code multiplied the current rate: after ten epochs 3.8e-5 of it was left, not 2.4e-2."""
    found = factors(Part(cosine), 0, 11, 11)
    assert found == pytest.approx([0.5 * (1 + math.cos(math.pi * i / 10)) for i in range(11)])
    assert found[9] == pytest.approx(0.0245, abs=1e-4)


def test_the_formulas_of_the_papers():
    progress = np.linspace(0.0, 1.0, 41)
    assert Part(inverse_time, end=0.25)(progress) == pytest.approx(1 / (1 + 3 * progress))
    assert Part(exponential, end=0.01)(progress) == pytest.approx(np.exp(np.log(0.01) * progress))
    assert Part(polynomial)(progress) == pytest.approx(1 - progress)
    waves = Part(coslog4)(progress)
    assert waves == pytest.approx(0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * progress))))
    assert Part(coslog4)(np.array([1, 3, 7, 15]) / 15) == pytest.approx([0, 0, 0, 0], abs=1e-12)
    assert Part(coslog4)((2.0 ** np.array([0.5, 1.5, 2.5, 3.5]) - 1) / 15) == pytest.approx([1, 1, 1, 1])


def test_steps_drop_at_their_places():
    found = factors(Part(step, at=(0.5, 0.75), factor=0.1), 0, 101, 101)
    assert found[[0, 49, 50, 74, 75, 100]] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_flat_cosine_is_flat_for_a_half():
    found = factors(Part(flat_cosine), 0, 101, 101)
    assert np.all(found[:51] == 1.0)
    assert found[75] == pytest.approx(0.5)


@pytest.mark.parametrize("schedule", [one_cycle, triangular])
def test_cycles_rise_to_one_at_their_peak(schedule):
    found = factors(Part(schedule, peak=0.3), 0, 101, 101)
    assert found[30] == 1.0
    assert np.all(np.diff(found[:31]) > 0)
    assert np.all(np.diff(found[30:]) < 0)


def test_warm_restarts_begin_anew_and_grow():
    found = factors(Part(warm_restarts, cycles=3, growth=2.0), 0, 701, 701)
    assert np.flatnonzero(found == 1.0).tolist() == [0, 100, 300]
    assert found[[50, 200, 500]] == pytest.approx([0.5, 0.5, 0.5])


def test_warm_up_reaches_the_rate_and_leaves_the_rest_to_the_other_schedule():
    """The reference code's warm-up ended at 7.99e-4 of 1e-3."""
    found = factors(Part(warmed, then=Part(cosine, end=0.1), share=0.2, start=0.5), 0, 101, 101)
    assert found[:21] == pytest.approx(np.linspace(0.5, 1.0, 21))
    assert found[20:] == pytest.approx(factors(Part(cosine, end=0.1), 0, 81, 81))


def test_a_persons_own_schedule_counts_as_ours():
    assert factors(Part(lambda progress: 1 - progress / 2), 0, 3, 3).tolist() == [1.0, 0.75, 0.5]


def test_what_is_no_schedule_is_refused():
    with pytest.raises(ConfigError, match="one finite factor"):
        factors(Part(lambda progress: progress - 1), 0, 3, 3)
    with pytest.raises(ConfigError, match="one finite factor"):
        factors(Part(np.mean), 0, 3, 3)
    with pytest.raises(ConfigError, match="counted from 0"):
        factors(Part(constant), 0, 3, 0)
    with pytest.raises(ConfigError, match="peak"):
        Part(one_cycle, peak=1.5)
    with pytest.raises(ConfigError, match="end"):
        Part(exponential, end=0.0)
