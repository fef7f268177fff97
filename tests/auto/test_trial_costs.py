"""How many more networks fit into the time that is left, and where one takes the place of many."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from composable.auto.refit import closed_form_refits
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


@pytest.mark.parametrize(
    ("compiling", "epoch", "left", "expected"),
    [
        (3.0, 1.0, 0.0, 1),  # eight networks to be compiled take longer than one, and its fit
        (0.1, 8.0, 0.0, 0),
        (0.1, 8.0, 5.0, 1),
    ],
)
def test_closed_form_fits_of_many_folds_become_one_network_if_that_is_faster_or_fits(
    compiling, epoch, left, expected
):
    network = SimpleNamespace(solver=object())
    trial = SimpleNamespace(network=network, refit=None, trained=[None] * 8)
    deployed = SimpleNamespace(shares=((trial, 1.0),))
    timing = SimpleNamespace(compiling=compiling, epoch=epoch)
    trainings = SimpleNamespace(left=left, expected=lambda _trial: timing)
    assert len(closed_form_refits(deployed, trainings)) == expected
