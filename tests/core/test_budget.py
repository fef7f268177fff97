"""One deadline over everything."""

import math

from composable.core.budget import Deadline


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_time_runs_down_to_zero_and_no_further():
    clock = Clock()
    deadline = Deadline(60.0, clock)
    clock.now += 45
    assert (deadline.spent, deadline.remaining) == (45.0, 15.0)
    clock.now += 45
    assert deadline.remaining == 0.0


def test_what_is_kept_for_later_comes_off_the_same_deadline():
    clock = Clock()
    deadline = Deadline(60.0, clock)
    clock.now += 10
    assert deadline.keeping(20.0).remaining == 30.0


def test_without_a_limit_there_is_always_time():
    assert Deadline().remaining == math.inf
