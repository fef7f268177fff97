"""The deployed model has no more weights than a user allows."""

from __future__ import annotations

import pytest

import composable
from composable.core.errors import ConfigError


@pytest.mark.slow
def test_networks_with_more_weights_are_left_out(cars, tmp_path):
    most = 2_000
    run = composable.fit(cars, "price", max_trials=2, max_epochs=1, max_parameters=most, out=tmp_path / "run")
    assert 0 < run.model.count_params() <= most
    free = composable.fit(cars, "price", max_trials=2, max_epochs=1, out=tmp_path / "free")
    assert free.model.count_params() > most


def test_none_that_small_is_an_error_that_says_how_many_the_smallest_has(cars, tmp_path):
    with pytest.raises(ConfigError, match=r"the smallest one, linear, is \d networks of \d+ weights"):
        composable.fit(cars, "price", max_parameters=3, max_trials=2, out=tmp_path / "run")
