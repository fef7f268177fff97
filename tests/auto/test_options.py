"""What may be asked of a fit, however it is asked: in Python, in a file or on the command line."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import composable
from composable.auto.options import FitOptions
from composable.cli.fit import fit_options
from composable.core.errors import ConfigError

WRONG = [
    ("time_limit", 0.0),
    ("time_limit", -1.0),
    ("time_limit", math.inf),
    ("time_limit", math.nan),
    ("max_trials", 0),
    ("max_epochs", 0),
    ("seed", -1),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_number_out_of_its_range_is_refused_where_it_is_given(name, value):
    with pytest.raises(ConfigError, match=f"{name} must be") as refused:
        FitOptions(("price",), **{name: value})
    assert refused.value.received == str(value)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_the_python_call_refuses_it_before_reading_anything(tmp_path, name, value):
    with pytest.raises(ConfigError, match=f"{name} must be"):
        composable.fit(tmp_path / "absent.csv", "price", **{name: value})


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_configuration_file_is_named(tmp_path, name, value):
    path = tmp_path / "fit.yaml"
    path.write_text(f"target: price\n{name}: {str(value).replace('inf', '.inf').replace('nan', '.nan')}\n")
    with pytest.raises(ConfigError, match=f"fit.yaml: {name} must be"):
        fit_options({}, path)


def test_there_must_be_a_target():
    with pytest.raises(ConfigError, match="--target"):
        composable.fit(pd.DataFrame({"x": [1]}), [])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"metric": "rsme"}, "'rsme'"),
        ({"problem": "clustering"}, "'clustering'"),
        ({"max_trials": 1.5}, "1.5"),
    ],
    ids=["metric", "problem", "fraction"],
)
def test_a_word_that_is_none_of_those_there_are_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        composable.fit(pd.DataFrame({"x": [1]}), "x", **wrong)


def test_what_is_allowed_is_kept():
    options = FitOptions(("a", "b"), time_limit=0.5, max_trials=1, max_epochs=1, seed=0)
    assert (options.target, options.time_limit) == (("a", "b"), 0.5)


@pytest.mark.parametrize("split", ["group:owner", "time:sold"])
def test_equal_rows_lie_where_groups_or_times_put_them(split):
    with pytest.raises(ConfigError, match="groups or times decide"):
        FitOptions(("price",), split=split, duplicates="apart")
