"""Out of memory: the cohort is divided, with a message, and nothing is lost."""

import pytest

from composable.core.budget import Deadline
from composable.engine.cohort import in_parts


def limited(most, failure, calls):
    """Trains as many at once; more are too much."""

    def run(numbers, deadline):
        calls.append((list(numbers), deadline.remaining))
        if len(numbers) > most:
            raise failure
        return [f"trained {number}" for number in numbers]

    return run


@pytest.mark.parametrize(
    "failure",
    [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 68719476736 bytes.")],
)
def test_it_is_divided_until_it_fits_with_a_message(failure):
    calls, notices = [], []
    found = in_parts(
        [3, 4, 5, 6, 7], limited(2, failure, calls), deadline=Deadline(100), notify=notices.append
    )
    assert found == [f"trained {number}" for number in (3, 4, 5, 6, 7)]
    assert [numbers for numbers, _ in calls] == [[3, 4, 5, 6, 7], [3, 4, 5], [3, 4], [5], [6, 7]]
    assert "5 instances" in notices[0]
    assert calls[1][1] == pytest.approx(60, abs=1)


def test_a_single_one_that_is_too_much_fails_as_it_did():
    with pytest.raises(MemoryError):
        in_parts([0, 1], limited(0, MemoryError("too large"), []), deadline=Deadline(), notify=print)


def test_another_error_is_not_taken_for_it():
    calls = []
    with pytest.raises(ValueError, match="shapes"):
        in_parts([0, 1], limited(1, ValueError("shapes"), calls), deadline=Deadline(), notify=print)
    assert len(calls) == 1
