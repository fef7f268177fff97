"""How many more networks fit into the time that is left."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from composable.auto.trial_costs import trainings_that_fit


@pytest.mark.parametrize(
    ("patience", "seconds", "waiting", "expected"),
    [
        (None, 85.0, 1, 1),  # a schedule ends a little sooner
        (None, 70.0, 1, 0),
        (None, 250.0, 2, 1),
        (16, 199.0, 1, 0),  # without one nobody knows when it ends
        (16, 200.0, 1, 1),
    ],
)
def test_a_training_takes_as_long_as_the_first_one(patience, seconds, waiting, expected):
    network = SimpleNamespace(settings=SimpleNamespace(patience=patience))
    trial = SimpleNamespace(network=network, trained=[SimpleNamespace(seconds=100.0)])
    assert trainings_that_fit(trial, seconds, waiting=waiting) == expected
