"""A small table in three rotations, and candidates that say what a test wants."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from composable.data.split import Rotation, Split
from composable.problem.problem import Head, Problem
from composable.search.opinion import Judge, Opinion, pool

AMOUNT = Head("price", "regression", ("price",))


@pytest.fixture
def split() -> Split:
    """Nine rows in three parts; each is validated once and tested once."""
    parts = [np.array([0, 3, 6]), np.array([1, 4, 7]), np.array([2, 5, 8])]
    rotations = tuple(Rotation(parts[i - 1], parts[(i + 1) % 3], parts[i]) for i in range(3))
    return Split("rotating", rotations, 3, "")


@pytest.fixture
def judge(split: Split) -> Judge:
    """Judges amounts 0 to 8 by rmse."""
    return Judge(Problem((AMOUNT,), "rmse"), split, (np.arange(9.0)[:, None],))


@pytest.fixture
def opinion_of(judge: Judge) -> Callable[..., Opinion]:
    """The opinion of a model that says these values, the same for validation and test rows."""

    def make(*values: Sequence[float] | np.ndarray) -> Opinion:
        answers = [np.asarray(one, float).reshape(9, -1) for one in values]

        def said(number: int) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
            rotation = judge.split.rotations[number]
            return [a[rotation.validation] for a in answers], [a[rotation.test] for a in answers], []

        return pool(judge.problem, judge.split, range(3), 9, said)

    return make
