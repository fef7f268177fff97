"""What is left open: what may be offered, and how it is drawn."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composable.core.errors import ConfigError
from composable.design import Between, Choice

seeds = st.integers(0, 2**32)
whole_ranges = st.tuples(st.integers(1, 1000), st.integers(1, 1000)).map(lambda p: (p[0], p[0] + p[1]))
ranges = st.tuples(st.floats(1e-6, 1e6), st.floats(1.01, 1e6)).map(lambda p: (p[0], p[0] * p[1]))


@pytest.mark.parametrize("options", [(), [], 3, None, "ab", {1, 2}])
def test_a_choice_has_options_in_an_order(options):
    with pytest.raises(ConfigError, match="at least one option"):
        Choice(options)


@pytest.mark.parametrize(
    "bounds",
    [(1, 1), (2, 1), ("a", "b"), (None, 1), (True, 3), (0.0, math.inf), (math.nan, 1.0), (1, 10**400)],
)
def test_between_has_two_numbers_in_order(bounds):
    with pytest.raises(ConfigError, match="the lower one first"):
        Between(*bounds)


def test_a_log_scale_begins_above_zero():
    with pytest.raises(ConfigError, match="above zero"):
        Between(0, 10, log=True)


@pytest.mark.parametrize("name", ["", 3, True])
def test_a_name_is_a_text(name):
    for make in (lambda: Choice((1,), name=name), lambda: Between(1, 2, name=name)):
        with pytest.raises(ConfigError, match="named with a text"):
            make()


def test_numpy_numbers_and_lists_become_pythons():
    choice = Choice([np.int64(3), [np.float32(0.5), np.bool_(True)], np.arange(2)])
    assert choice == Choice((3, (0.5, True), (0, 1)))
    assert [type(option) for option in choice.options] == [int, tuple, tuple]
    assert Between(np.int32(1), np.int32(4)).is_integer


def test_equal_numbers_of_different_kinds_are_different():
    assert Choice((1, 2)) != Choice((1.0, 2.0)) != Choice((True, 2.0))
    assert Between(0, 1) != Between(0.0, 1.0)
    assert len({Choice((1,)), Choice((1.0,)), Choice((True,)), Choice((1,))}) == 3
    assert Choice((1, 2)).admits(1)
    assert not Choice((1, 2)).admits(1.0)
    assert not Choice((1, 2)).admits(True)
    assert not Between(0, 2).admits(1.0)
    assert not Between(0, 2).admits(True)
    assert Between(0.0, 2.0).admits(1)


@given(whole_ranges, st.booleans(), seeds)
def test_a_whole_draw_is_whole_and_within(bounds, log, seed):
    between = Between(*bounds, log=log)
    value = between.draw(np.random.default_rng(seed))
    assert type(value) is int
    assert between.admits(value)


@given(ranges, st.booleans(), seeds)
def test_a_draw_is_a_number_within(bounds, log, seed):
    between = Between(*bounds, log=log)
    value = between.draw(np.random.default_rng(seed))
    assert type(value) is float
    assert between.admits(value)


def test_the_ends_of_a_whole_range_are_as_likely_as_the_rest():
    random = np.random.default_rng(0)
    drawn = Counter(Between(1, 4).draw(random) for _ in range(8000))
    assert sorted(drawn) == [1, 2, 3, 4]
    assert min(drawn.values()) > 0.9 * 2000


def test_on_a_log_scale_both_ends_are_met_and_decades_count_alike():
    random = np.random.default_rng(0)
    drawn = Counter(Between(1, 4, log=True).draw(random) for _ in range(8000))
    assert sorted(drawn) == [1, 2, 3, 4]
    assert drawn[1] > drawn[2] > drawn[3] > drawn[4]
    rates = [Between(1e-4, 1e-2, log=True).draw(random) for _ in range(4000)]
    assert 0.45 < np.mean([rate < 1e-3 for rate in rates]) < 0.55


def test_every_option_is_as_likely():
    random = np.random.default_rng(0)
    drawn = Counter(Choice(("a", "b")).draw(random) for _ in range(4000))
    assert abs(drawn["a"] - drawn["b"]) < 300
