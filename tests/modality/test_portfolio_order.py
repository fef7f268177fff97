"""Which of the strong networks for tables is tried first."""

from itertools import islice

import pytest

from composable.modality import candidates
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem


@pytest.mark.parametrize(
    ("rows", "numbers", "first"),
    [(500, 10, "tabm_mini"), (500, 60, "realmlp"), (5000, 10, "realmlp")],
    ids=["few rows", "many features", "many rows"],
)
def test_what_learns_most_in_the_time_comes_first(rows, numbers, first):
    problem = Problem((Head("y", "regression", ("y",)),), "rmse")
    found = candidates(DataFacts(problem, rows, {"numbers": numbers}, ()), seed=0)
    names = [one.name for one in islice(found, 8)]
    assert next(name for name in names if name in ("tabm_mini", "realmlp")) == first
