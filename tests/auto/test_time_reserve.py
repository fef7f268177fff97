"""How much time is kept for the end, by how long bundles took so far."""

from __future__ import annotations

import time

import pytest

from composable.auto.time_reserve import TimeReserve


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def kept(clock, bundled, seconds, asked):
    """The seconds kept for a bundle after another one took so many."""
    reserve = TimeReserve(report=0.0, others=0.0)
    with reserve.bundling(bundled):
        clock[0] += seconds
    return reserve.seconds(asked)


def test_a_bundle_of_as_many_networks_takes_as_long_again_and_a_little_more(clock):
    assert kept(clock, 8, 4.0, 8) == pytest.approx(1.25 * 4.0)


def test_a_slow_bundle_of_one_network_does_not_make_each_further_one_as_slow(clock):
    assert 1.25 * 4.0 < kept(clock, 1, 4.0, 24) < 24 * 4.0 / 2


def test_the_slowest_bundle_counts(clock):
    reserve = TimeReserve(report=0.0, others=0.0)
    for seconds in (5.0, 1.0):
        with reserve.bundling(8):
            clock[0] += seconds
    assert reserve.seconds(8) == pytest.approx(1.25 * 5.0)
